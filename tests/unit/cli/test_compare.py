from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from family import FACTS, add_teacher, file, score
from typer.testing import Result

from seqloom.registry.store import Registry

Command = Callable[..., Result]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A teacher, a run whose scores, configuration and data are others, and a model without a run."""
    made = f"sqlite:///{tmp_path_factory.mktemp('compared')}/registry.db"
    with Registry(made) as registry:
        add_teacher(registry)
        registry.add_scores(
            "teaching", [score(31.0, step=100), score(30.0, step=200), score(9.0, metric="wer")]
        )
        read = [file("train.de", "9", "train"), file("train.en", "b", "train")]
        config = {"train": {"steps": 300}}
        facts = FACTS | {"config": config, "versions": {"torch": "\x1b[31m2.1"}}
        registry.start_run(**facts, id="other", kind="train", data=read)
        registry.add_scores(
            "other", [score(32.5, step=300), score(8.0, metric="wer"), score(3.0, metric="new")]
        )
        registry.add_model("foreign", "translation", None, "/x", "m", [score(12.0)])
    return made


@pytest.fixture
def command(seqloom: Command, url: str) -> Command:
    """Runs ``seqloom compare`` on that registry."""
    return lambda *words, code=0: seqloom("--registry", url, "compare", *words, code=code)


def test_a_table_for_each_kind(command: Command) -> None:
    result = command("teaching", "other")

    assert [line.split() for line in result.stdout.splitlines()] == [
        ["compared"],
        ["A", "teaching"],
        ["B", "other"],
        [],
        ["scores"],
        ["metric", "split", "of", "A", "B", "B-A", "signature"],
        ["bleu", "valid", "last", "30.00", "@200", "32.50", "@300", "+2.50", "better", "nrefs:1"],
        ["bleu", "valid", "best", "31.00", "@100", "32.50", "@300", "+1.50", "better", "nrefs:1"],
        ["wer", "valid", "last", "9.00", "@200", "8.00", "@200", "-1.00", "better", "nrefs:1"],
        [],
        ["scores", "that", "cannot", "be", "compared"],
        ["metric", "split", "last", "why"],
        ["B", "new", "valid", "3.00", "@200", "no", "other", "has", "new"],
        [],
        ["configuration"],
        ["key", "A", "B"],
        ["train.steps", "200", "300"],
        [],
        ["data"],
        ["split", "path", "A", "B"],
        ["train", "train.de", "aaaaaaaaaaaa,", "20", "rows", "999999999999"],
        [],
        ["everything", "else"],
        ["what", "A", "B"],
        ["versions.torch", "\\x1b[31m2.1"],
    ]
    assert result.stderr == ""


def test_the_other_way_round_it_is_worse(command: Command) -> None:
    lines = [line.split() for line in command("other", "teaching").stdout.splitlines()]

    assert ["wer", "valid", "last", "8.00", "@200", "9.00", "@200", "+1.00", "worse", "nrefs:1"] in lines


def test_models_and_runs_together(command: Command) -> None:
    result = command("teacher@champion", "foreign", "runs:/other")
    lines = [line.split() for line in result.stdout.splitlines()]

    assert lines[1:4] == [["A", "models:/teacher/1"], ["B", "models:/foreign/1"], ["C", "other"]]
    [row] = [line for line in lines if line[:1] == ["bleu"]]
    assert row[3:] == [
        *("30.00", "@200", "12.00", "@200", "32.50", "@300"),
        *("-18.00", "worse", "+2.50", "better", "nrefs:1"),
    ]
    assert ["train.steps", "200", "300"] in lines
    assert result.stderr == "nobody noted which run made models:/foreign/1: its scores alone are known\n"


def test_nothing_differs(command: Command) -> None:
    text = command("teacher", "teaching").stdout

    assert "configuration: none" in text
    assert "data: none" in text
    assert "everything else: none" in text
    assert "+0.00  nrefs" in text  # neither better nor worse


@pytest.mark.parametrize("words", [("--format", "json"), ("--json",)])
def test_json(command: Command, words: tuple[str, ...]) -> None:
    found = json.loads(command("teaching", "other", *words).stdout)

    assert found["names"] == ["teaching", "other"]
    assert found["scores"][0]["standings"][0]["best"]["value"] == 31.0
    assert found["scores"][0]["differences"] == [0.0, 2.5]
    assert found["config"] == [{"key": "train.steps", "values": ["200", "300"]}]
    assert [one["files"][1]["sha256"] for one in found["data"]] == ["9" * 64]


def test_what_makes_no_comparison(command: Command) -> None:
    assert "give at least two runs or models (found 1)" in command("teaching", code=2).stderr
    assert "'models:/teacher/1' is given twice" in command("teacher", "teacher/1", code=2).stderr
    assert "at most 26 are compared at once, and 27 were given" in command(*["x"] * 27, code=2).stderr
    assert "no model and no run 'x'" in command("teacher", "x", code=78).stderr
