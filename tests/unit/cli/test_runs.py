from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from seqloom.cli.output import State
from seqloom.cli.runs import runs_app
from seqloom.errors import ConfigError, UsageError
from seqloom.registry.records import DataFile, Score
from seqloom.registry.store import Registry

START = datetime(2026, 11, 21, 13, 15, 2, tzinfo=UTC)
Command = Callable[..., Result]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Runs ``seqloom runs ...`` on a registry in the test's folder."""
    state = State(registry=f"sqlite:///{tmp_path}/registry.db")
    return lambda *words: CliRunner().invoke(runs_app, words, obj=state, catch_exceptions=False)


@pytest.fixture
def two_runs(tmp_path: Path) -> None:
    hours = count()
    clock = lambda: START + timedelta(hours=next(hours))  # noqa: E731
    with Registry(f"sqlite:///{tmp_path}/registry.db", clock=clock) as registry:
        registry.start_run(
            id="20261121-131502-aaaaaa",
            kind="train",
            name="de-en",
            task="translation",
            config={"train": {"steps": 500}, "name": "Übung"},
            seed=7,
            device="cpu",
            device_reason="no GPU was found",
            versions={"torch": "2.11.0"},
            data=[DataFile(path="train.de", sha256="ab12", split="train")],
            folder="/runs/a",
        )
        scores = [("ppl", 9.5, 100), ("bleu", 31.25, 500), ("bleu", 20.0, 100)]
        registry.add_scores(
            "20261121-131502-aaaaaa",
            [
                Score(metric=metric, value=value, split="valid", step=step, signature="nrefs:1")
                for metric, value, step in scores
            ],
        )
        registry.add_model("de-en", "translation", "20261121-131502-aaaaaa", "/runs/a/model", "", [])
        registry.end_run("20261121-131502-aaaaaa", "failed", "DivergedError: loss is nan")
        registry.start_run(
            id="20261121-171502-bbbbbb",
            kind="decode",
            name="de-en",
            task="translation",
            config={},
            seed=1,
            device="cuda:0",
            device_reason="an H200",
            versions={},
            data=[],
        )


@pytest.mark.usefixtures("two_runs")
def test_list(command: Command) -> None:
    result = command("list")

    header, newer, older = (line.split() for line in result.stdout.splitlines())
    assert header[:6] == ["run", "kind", "status", "name", "task", "device"]
    assert header[6:] == ["started", "(UTC)", "took", "scores"]
    assert newer[:6] == ["20261121-171502-bbbbbb", "decode", "running", "de-en", "translation", "cuda:0"]
    assert newer[6:] == ["2026-11-21", "16:15:02"]
    assert older[:3] == ["20261121-131502-aaaaaa", "train", "failed"]
    assert older[-7:] == ["2026-11-21", "13:15:02", "2:00:00", "bleu", "31.25,", "ppl", "9.50"]
    assert result.stderr == ""


@pytest.mark.usefixtures("two_runs")
def test_list_filters_limits_and_speaks_json(command: Command) -> None:
    def ids(*words: str) -> list[str]:
        return [run["id"] for run in json.loads(command("list", "--json", *words).stdout)]

    assert ids() == ["20261121-171502-bbbbbb", "20261121-131502-aaaaaa"]
    assert ids("--limit", "1") == ["20261121-171502-bbbbbb"]
    assert ids("--where", "bleu > 30 and task = 'translation'") == ["20261121-131502-aaaaaa"]
    assert ids("--where", "bleu > 32") == []
    with pytest.raises(UsageError, match="Did you mean 'bleu'"):
        command("list", "--where", "blue > 32")
    assert command("list", "--limit", "0").exit_code == 2


@pytest.mark.usefixtures("two_runs")
def test_list_goes_on_after_a_page(command: Command) -> None:
    first = command("list", "--limit", "1", "--where", "order by seed")
    after = first.stdout.splitlines()[1].split()[0]
    assert first.stderr == f"there are more; go on with --after {after}\n"
    last = command("list", "--limit", "1", "--where", "order by seed", "--after", after)
    assert last.stderr == ""
    assert {after, last.stdout.splitlines()[1].split()[0]} == {run["id"] for run in _listed(command)}


@pytest.mark.usefixtures("two_runs")
def test_list_speaks_csv_and_json_lines(command: Command) -> None:
    listed = _listed(command)
    lines = command("list", "--format", "jsonl").stdout.splitlines()
    assert [json.loads(line) for line in lines] == listed
    rows = list(csv.DictReader(command("list", "--format", "csv").stdout.splitlines()))
    assert [row["run"] for row in rows] == [run["id"] for run in listed]
    assert rows[-1]["scores"] == "bleu 31.25, ppl 9.50"
    assert command("list", "--format", "csv", "--where", "seed < 0").stdout.splitlines() == [
        "run,kind,status,name,task,device,started (UTC),took,scores"
    ]


def _listed(command: Command) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(command("list", "--json").stdout)
    return found


@pytest.mark.usefixtures("two_runs")
def test_list_of_none_that_fits(command: Command) -> None:
    result = command("list", "--where", "kind = 'evaluate'")

    assert (result.stdout, result.stderr) == ("", "no run fits\n")


def test_list_of_nothing(command: Command) -> None:
    result = command("list")

    assert (result.stdout, result.stderr) == ("", "no runs\n")
    assert command("list", "--json").stdout == "[]\n"


@pytest.mark.usefixtures("two_runs")
def test_show(command: Command) -> None:
    text = command("show", "20261121-13").stdout

    facts = text.split("\n\n")[0].splitlines()
    assert [re.split("  +", line.rstrip()) for line in facts] == [
        ["run", "20261121-131502-aaaaaa"],
        ["kind", "train"],
        ["status", "failed"],
        ["error", "DivergedError: loss is nan"],
        ["name", "de-en"],
        ["task", "translation"],
        ["seed", "7"],
        ["device", "cpu (no GPU was found)"],
        ["started", "2026-11-21 13:15:02 UTC"],
        ["ended", "2026-11-21 15:15:02 UTC, after 2:00:00"],
        ["folder", "/runs/a"],
        ["model", "models:/de-en/1"],
        ["version of torch", "2.11.0"],
        ["train data train.de", "sha256 ab12"],
    ]
    assert "\nconfig:\n  train:\n    steps: 500\n  name: Übung\n" in text
    assert [line.split() for line in text.splitlines()[-4:]] == [
        ["metric", "value", "split", "step", "signature"],
        ["ppl", "9.5000", "valid", "100", "nrefs:1"],
        ["bleu", "31.2500", "valid", "500", "nrefs:1"],
        ["bleu", "20.0000", "valid", "100", "nrefs:1"],
    ]


@pytest.mark.usefixtures("two_runs")
def test_show_of_a_run_that_goes_on(command: Command) -> None:
    text = command("show", "20261121-17").stdout

    assert "running" in text
    for absent in ("ended", "folder", "model", "error", "metric"):
        assert absent not in text


@pytest.mark.usefixtures("two_runs")
def test_show_speaks_json(command: Command, tmp_path: Path) -> None:
    run = json.loads(command("show", "20261121-13", "--json").stdout)

    assert run["config"] == {"train": {"steps": 500}, "name": "Übung"}
    assert run["started_at"] == "2026-11-21T13:15:02+00:00"
    assert run["scores"][1] == {
        "metric": "bleu",
        "value": 31.25,
        "split": "valid",
        "step": 500,
        "signature": "nrefs:1",
        "parts": {},
    }


def test_show_of_an_unknown_run(command: Command) -> None:
    with pytest.raises(ConfigError, match="no run 'x'"):
        command("show", "x")


def test_help_pays_for_no_database() -> None:
    program = "import sys, seqloom.cli.runs, seqloom.cli.models; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert "seqloom.cli.models" in loaded.stdout.split()
    assert {"sqlalchemy", "alembic", "rich.table", "torch", "yaml"}.isdisjoint(loaded.stdout.split())


@pytest.mark.usefixtures("two_runs")
def test_tag(command: Command) -> None:
    said = command("tag", "20261121-13", "team=mt", "why=a=b")
    assert said.stderr == "20261121-131502-aaaaaa team=mt, why=a=b\n"
    assert "tags" in command("show", "20261121-13").stdout
    assert [run["tags"] for run in _listed(command)] == [{}, {"team": "mt", "why": "a=b"}]
    said = command("tag", "20261121-13", "--remove", "team", "--remove", "why")
    assert said.stderr == "20261121-131502-aaaaaa has no tags\n"


@pytest.mark.usefixtures("two_runs")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["team"], "'team' is no tag: write KEY=VALUE"),
        (["=x"], "'=x' is no tag"),
        ([], "nothing to tag"),
        (["a=1", "a=2"], "tag 'a' is given twice"),
        (["a=1", "--remove", "a"], "tag 'a' is given twice"),
    ],
)
def test_tags_that_are_none(command: Command, words: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        command("tag", "20261121-13", *words)
