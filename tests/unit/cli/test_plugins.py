"""Who offers what, what may be set of it, and why a plugin is not in use."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from seqloom.hooks import API_VERSION

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
    assert rows[0] == ["plugin", "version", "distribution", "state", "offers"]
    (parts,) = [row for row in rows if row[:1] == ["parts"]]
    assert parts[:4] == ["parts", "0.1", "seqloom-parts", "ok"]
    offers = " ".join(parts[4:]).split("; ")
    assert sorted(offers) == ["head scalar", "modality words, numbers", "task echo, measure"]
    assert ["broken", "0.1", "seqloom-broken", "set", "aside"] in rows
    rows = rows[rows.index(["kind", "name", "summary", "plugin"]) :]
    assert ["task", "echo", "Says", "it", "again", "parts"] in rows
    encoders = [row[1] for row in rows if row[:1] == ["encoder"] and row[-1] == "seqloom"]
    assert encoders == ["conformer", "none", "rnn", "transformer"]
    kinds = [row[0] for row in rows if row]
    assert kinds.index("modality") < kinds.index("metric")
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
        "faults": [],
        "api": "",
        "offers": [],
    }
    parts = entry(records, "parts")
    assert (parts["state"], parts["reason"], parts["api"]) == ("ok", "", "1")
    assert {"kind": "head", "name": "scalar", "summary": "One number"} in parts["offers"]
    assert records[0]["plugin"] == "seqloom"
    assert result.stderr == ""


@pytest.mark.usefixtures("parts")
def test_list_without_the_disabled(seqloom: Seqloom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQLOOM_DISABLE", "parts")
    rows = columns(seqloom("plugins", "list").stdout)
    assert "echo" not in [row[1] for row in rows if row]
    assert " ".join(rows[-1]) == "plugin 'parts' (seqloom-parts 0.1) is disabled: SEQLOOM_DISABLE names it"
    assert entry(json.loads(seqloom("plugins", "list", "--json").stdout), "parts")["state"] == "disabled"


# show ------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("parts")
@pytest.mark.parametrize("name", ["parts", "seqloom-parts"])
def test_show_a_plugin(seqloom: Seqloom, name: str) -> None:
    told, *parts = seqloom("plugins", "show", name).stdout.split("\n\n")
    first, api, files = told.splitlines()
    assert first == "plugin parts (seqloom-parts 0.1, fake_parts): ok"
    assert api == f"written for plugin API 1; this Seqloom has {API_VERSION}"
    assert files.endswith("/site: fake_parts.py")
    assert len(parts) == 5
    assert "task measure: A number of two\nnothing to set" in [part.strip() for part in parts]
    (words,) = [part.splitlines() for part in parts if part.startswith("modality words: Words\n")]
    assert words[-1].split()[0] == "rate"


def test_show_tells_a_modalitys_files_and_those_of_the_plugin(seqloom: Seqloom) -> None:
    (record,) = json.loads(seqloom("plugins", "show", "vision", "--json").stdout)
    assert {"__init__.py", "modality.py"} <= set(record["files"])
    assert (Path(record["folder"]) / "__init__.py").is_file()
    (image,) = record["offers"]
    assert ".png" in image["reads"]
    assert image["options"][0].keys() == {"name", "type", "default", "description"}
    told = seqloom("plugins", "show", "vision").stdout
    assert f"reads files: {' '.join(image['reads'])}" in told.splitlines()


def test_show_tells_faults(seqloom: Seqloom, install: Install) -> None:
    install("loud", "print('hello')\nseqloom_api = '>=1.0,<2'")
    told = seqloom("plugins", "show", "loud").stdout.splitlines()
    assert told[1:3] == [
        "fault: importing it prints 'hello'",
        f"written for plugin API >=1.0,<2; this Seqloom has {API_VERSION}",
    ]


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
    (plugin,) = json.loads(seqloom("plugins", "show", "translation", "--json").stdout)
    assert (plugin["plugin"], plugin["offers"][0]["kind"]) == ("translation", "task")


@pytest.mark.usefixtures("parts")
def test_show_a_part_in_json(seqloom: Seqloom) -> None:
    (record,) = json.loads(seqloom("plugins", "show", "words", "--json").stdout)
    options = record.pop("options")
    assert record == {
        "kind": "modality",
        "name": "words",
        "summary": "Words",
        "reads": [],
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


# doctor ----------------------------------------------------------------------------------------------


def test_the_doctor_finds_nothing(seqloom: Seqloom) -> None:
    header, *rows = columns(seqloom("plugins", "doctor").stdout)
    assert header == ["plugin", "state", "found"]
    assert {row[1] for row in rows} == {"ok"}
    assert rows[0][:3] == ["seqloom", "ok", "seqloom"]


@pytest.mark.usefixtures("broken", "parts")
def test_the_doctor_tells_what_is_wrong(seqloom: Seqloom, monkeypatch: pytest.MonkeyPatch) -> None:
    result = seqloom("plugins", "doctor", "broken", code=78)
    assert [" ".join(row) for row in columns(result.stdout)] == [
        "plugin state found",
        f"broken WRONG {REASON}",
    ]
    records = json.loads(seqloom("plugins", "doctor", "seqloom-parts", "--json", code=78).stdout)
    (record,) = records
    assert not record["healthy"]
    lost = "loading head 'scalar' raised ModuleNotFoundError: No module named 'seqloom_no_such_code'"
    assert lost in record["found"]
    monkeypatch.setenv("SEQLOOM_DISABLE", "broken")
    assert "broken disabled SEQLOOM_DISABLE" in " ".join(
        columns(seqloom("plugins", "doctor", "broken").stdout)[1]
    )


def test_the_doctor_of_nobody(seqloom: Seqloom) -> None:
    assert "no plugin 'txt'; there are: " in seqloom("plugins", "doctor", "txt", code=78).stderr


def test_listing_and_showing_import_no_torch() -> None:
    for words in (["list"], ["list", "--json"], ["show", "vision"], ["show", "transformer"]):
        code = (
            "import sys\nfrom seqloom.cli.main import main\n"
            f"sys.argv = {['seqloom', 'plugins', *words]}\n"
            "try: main()\nexcept SystemExit as end: sys.exit(end.code or 'torch' in sys.modules)"
        )
        assert (
            subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0
        )
