"""Who offers what, what may be set of it, and why a plugin is not in use."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

Install = Callable[..., Path]
Seqloom = Callable[..., Result]

REASON = "importing it raised ImportError: no libfoo"
TROUBLE = f"plugin 'broken' (seqloom-broken 0.1) was set aside: {REASON}"


@pytest.fixture
def broken(install: Install) -> None:
    install("broken", "raise ImportError('no libfoo')")


def columns(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def entry(records: list[dict[str, Any]], plugin: str) -> dict[str, Any]:
    (found,) = [record for record in records if record["plugin"] == plugin]
    return found


# list ------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("broken", "parts")
def test_list(seqloom: Seqloom) -> None:
    result = seqloom("plugins", "list")
    rows = columns(result.stdout)
    assert rows[0] == ["kind", "name", "summary", "plugin", "version"]
    assert ["task", "echo", "Says", "it", "again", "seqloom-parts", "0.1"] in rows
    encoders = [row[1] for row in rows if row[0] == "encoder" and row[-2] == "seqloom"]
    assert encoders == ["conformer", "none", "rnn", "transformer"]
    assert [row[0] for row in rows].index("modality") < [row[0] for row in rows].index("metric")
    assert result.stdout.splitlines()[-1] == TROUBLE
    assert result.stderr == ""  # said once is enough


@pytest.mark.usefixtures("broken", "parts")
def test_list_speaks_json(seqloom: Seqloom) -> None:
    result = seqloom("plugins", "list", "--json")
    records = json.loads(result.stdout)
    assert entry(records, "broken") == {
        "plugin": "broken",
        "distribution": "seqloom-broken",
        "version": "0.1",
        "module": "fake_broken",
        "state": "quarantined",
        "reason": REASON,
        "offers": [],
    }
    parts = entry(records, "parts")
    assert (parts["state"], parts["reason"]) == ("ok", "")
    assert {"kind": "head", "name": "scalar", "summary": "One number"} in parts["offers"]
    assert records[0]["plugin"] == "seqloom"
    assert result.stderr == ""


@pytest.mark.usefixtures("parts")
def test_list_without_the_disabled(seqloom: Seqloom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQLOOM_DISABLE", "parts")
    rows = columns(seqloom("plugins", "list").stdout)
    assert "echo" not in [row[1] for row in rows]
    assert " ".join(rows[-1]) == "plugin 'parts' (seqloom-parts 0.1) is disabled: SEQLOOM_DISABLE names it"
    assert entry(json.loads(seqloom("plugins", "list", "--json").stdout), "parts")["state"] == "disabled"


# show ------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("parts")
@pytest.mark.parametrize("name", ["parts", "seqloom-parts"])
def test_show_a_plugin(seqloom: Seqloom, name: str) -> None:
    first, header, *rows = seqloom("plugins", "show", name).stdout.splitlines()
    assert first == "plugin parts (seqloom-parts 0.1, fake_parts): ok"
    assert header.split() == ["kind", "name", "summary"]
    assert ["task", "measure", "A", "number", "of", "two"] in [row.split() for row in rows]
    assert len(rows) == 5


@pytest.mark.usefixtures("broken")
def test_show_a_plugin_that_is_set_aside(seqloom: Seqloom) -> None:
    wanted = f"plugin broken (seqloom-broken 0.1, fake_broken): quarantined: {REASON}\n"
    assert seqloom("plugins", "show", "broken").stdout == wanted
    (record,) = json.loads(seqloom("plugins", "show", "seqloom-broken", "--json").stdout)
    assert (record["state"], record["reason"]) == ("quarantined", REASON)


def test_show_a_plugin_that_is_not_installed(seqloom: Seqloom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQLOOM_DISABLE", "imu")
    told = seqloom("plugins", "show", "imu").stdout
    assert (
        told == "plugin imu (not installed): disabled: SEQLOOM_DISABLE names it, and it is not installed.\n"
    )


@pytest.mark.usefixtures("parts")
def test_show_a_part(seqloom: Seqloom) -> None:
    told, header, *rows = seqloom("plugins", "show", "words").stdout.splitlines()
    assert told == "modality words (seqloom-parts 0.1): Words"
    assert header.split() == ["option", "type", "default", "description"]
    assert [row.split() for row in rows] == [
        ["lowercase", "true", "|", "false", "false", "Whether", "case", "is", "lost."],
        ["rate", "number", ">", "0", "|", "null", "null", "Readings", "a", "second."],
    ]
    assert seqloom("plugins", "show", "scalar").stdout.splitlines()[1:] == ["nothing to set"]


def test_show_all_that_has_the_name(seqloom: Seqloom) -> None:
    first, second = seqloom("plugins", "show", "transformer").stdout.split("\n\n")
    assert first.startswith("encoder transformer (seqloom ")
    assert second.startswith("decoder transformer (seqloom ")
    plugin, part = json.loads(seqloom("plugins", "show", "translation", "--json").stdout)
    assert (plugin["plugin"], part["kind"]) == ("translation", "task")


@pytest.mark.usefixtures("parts")
def test_show_a_part_in_json(seqloom: Seqloom) -> None:
    (record,) = json.loads(seqloom("plugins", "show", "words", "--json").stdout)
    options = record.pop("options")
    assert record == {
        "kind": "modality",
        "name": "words",
        "summary": "Words",
        "plugin": "parts",
        "distribution": "seqloom-parts",
        "version": "0.1",
    }
    wanted = {"type": "true | false", "default": "false", "description": "Whether case is lost."}
    assert options[0] == {"name": "lowercase", **wanted}


def test_show_an_unknown_name(seqloom: Seqloom) -> None:
    result = seqloom("plugins", "show", "transfomer", code=78)
    assert result.stdout == ""
    assert "no plugin or part 'transfomer'" in result.stderr
    assert "Did you mean 'transformer'?" in result.stderr
