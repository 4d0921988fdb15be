from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from seqloom.errors import UsageError
from seqloom.registry.comparison import Apart, Comparison, Difference, Measured, Subject, compare, flat
from seqloom.registry.records import DataFile, Run, Score


def score(
    value: float, step: int = 100, metric: str = "bleu", split: str = "valid", signature: str = "nrefs:1"
) -> Score:
    return Score(metric=metric, value=value, split=split, step=step, signature=signature)


def file(path: str, sha256: str, split: str = "train") -> DataFile:
    return DataFile(path=path, sha256=sha256, split=split)


def run(run_id: str, **facts: Any) -> Run:
    plain = Run(
        id=run_id,
        kind="train",
        status="finished",
        name="de-en",
        task="translation",
        config={},
        seed=1,
        device="cpu",
        device_reason="",
        versions={},
        data=(),
        folder="",
        model=None,
        started_at=datetime(2026, 11, 21, tzinfo=UTC),
        ended_at=None,
        error=None,
    )
    return replace(plain, **facts)


def of_scores(*tables: list[Score], **ways: bool) -> Comparison:
    return compare([run(f"run-{n}", scores=tuple(table)) for n, table in enumerate(tables)], ways)


# Scores ------------------------------------------------------------------------------------------------


def test_scores_of_one_signature_stand_side_by_side() -> None:
    found = of_scores([score(31.0, 200), score(33.0, 100)], [score(34.5, 300)], bleu=True)

    [row] = found.scores
    assert (row.split, row.metric, row.signature) == ("valid", "bleu", "nrefs:1")
    first, second = row.standings
    assert first is not None
    assert second is not None
    assert (first.last, first.best) == (score(31.0, 200), score(33.0, 100))
    assert (second.last, second.best) == (score(34.5, 300), score(34.5, 300))
    assert row.differences == (0.0, 3.5)
    assert row.higher_is_better is True
    assert found.apart == ()


@pytest.mark.parametrize(
    ("metric", "way", "best"),
    [
        ("wer", False, 5.0),
        ("speaker=ann/wer", False, 5.0),
        ("ppl", False, 5.0),
        ("accuracy", True, 7.0),
        ("novel", None, None),
        ("wer/novel", None, None),
    ],
)
def test_which_way_is_better(metric: str, way: bool | None, best: float | None) -> None:
    scores = [score(5.0, 100, metric), score(7.0, 200, metric), score(math.nan, 50, metric)]
    [row] = of_scores(scores, [score(9.0, 100, metric)], wer=False).scores

    assert row.standings[0] is not None
    assert row.standings[0].last.value == 7.0
    assert (row.higher_is_better, row.standings[0].best and row.standings[0].best.value) == (way, best)


def test_no_number_is_the_best_of_nothing() -> None:
    [row] = of_scores([score(math.nan)], [score(3.0)], bleu=True).scores

    assert row.standings[0] is not None
    assert row.standings[0].best is None
    assert math.isnan(row.differences[1] or 0.0)


def test_of_one_step_the_newest_counts() -> None:
    [row] = of_scores([score(1.0), score(2.0)], [score(3.0)]).scores

    assert row.differences == (0.0, 1.0)


def test_of_several_each_differs_from_the_first() -> None:
    found = of_scores(
        [score(1.0), score(2.0, metric="wer")], [score(4.0)], [score(0.5), score(3.0, metric="ter")]
    )

    [row] = found.scores
    assert row.differences == (0.0, 3.0, -0.5)
    assert [(one.subject, one.score.metric) for one in found.apart] == [(0, "wer"), (2, "ter")]
    [row] = of_scores([], [score(4.0)], [score(0.5)]).scores
    assert (row.standings[0], row.differences) == (None, (None, None, None))


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ([], "no other has bleu"),
        ([score(30.0, metric="chrf")], "no other has bleu"),
        ([score(30.0, split="test")], "the others have bleu of test"),
        ([score(30.0, signature="nrefs:2")], "another signature: nrefs:2"),
    ],
)
def test_why_scores_stand_apart(other: list[Score], why: str) -> None:
    found = of_scores([score(31.0, 100), score(32.0, 200)], other)

    assert found.scores == ()
    assert found.apart[0] == Apart(subject=0, score=score(32.0, 200), why=why)
    assert [one.subject for one in found.apart[1:]] == [1] * len(other)


def judged(name: str, *contents: str, split: str = "valid") -> Run:
    data = [file(f"{sha256}.de", sha256, split) for sha256 in contents]
    return run(name, scores=(score(30.0),), data=tuple(data))


def test_scores_over_other_files_stand_apart() -> None:
    assert len(compare([judged("a", "1", "2"), judged("b", "2", "1")]).scores) == 1
    found = compare([judged("a", "1", "2"), judged("b", "1")])
    assert [one.why for one in found.apart] == ["the files of valid differ"] * 2
    assert len(compare([judged("a", "1", split="test"), judged("b", "2", split="test")]).scores) == 1


def test_what_was_not_noted_speaks_against_nothing() -> None:
    [row] = compare([judged("a"), judged("b", "1"), judged("c", "1")]).scores
    assert None not in row.standings

    found = compare([judged("a"), judged("b", "1"), judged("c", "2"), judged("d", "1")])
    [row] = found.scores
    assert [one is not None for one in row.standings] == [False, True, False, True]
    assert [(one.subject, one.why) for one in found.apart] == [
        (0, "nobody noted which files valid was"),
        (2, "the files of valid differ"),
    ]


# Everything else ---------------------------------------------------------------------------------------


def test_configurations() -> None:
    one = {"train": {"steps": 100, "betas": [0.9, 0.98]}, "name": "a", "data": {}, "only": None}
    two = {"train": {"steps": 200, "betas": [0.9, 0.99]}, "name": "a", "data": {"root": "ä"}}

    assert compare([run("a", config=one), run("b", config=two)]).config == (
        Difference(key="train.steps", values=("100", "200")),
        Difference(key="train.betas.1", values=("0.98", "0.99")),
        Difference(key="data", values=("{}", None)),
        Difference(key="only", values=("null", None)),
        Difference(key="data.root", values=(None, '"ä"')),
    )


def test_keys_with_dots_are_others() -> None:
    found = compare([run("a", config={"a.b": 1}), run("b", config={"a": {"b": 1}})]).config

    assert [(one.key, one.values) for one in found] == [("a.b", ("1", None)), ("a.b", (None, "1"))]


def test_a_deep_configuration() -> None:
    config: Any = 1
    for _ in range(10_000):
        config = {"a": config}

    assert list(flat(config).values()) == ["1"]


def test_data() -> None:
    first = [file("train.de", "1"), file("train.en", "2"), file("old.de", "3"), file("x.de", "4", "valid")]
    second = [file("train.de", "9"), file("renamed.en", "2"), file("x.de", "4", "test")]

    found = compare([run("a", data=tuple(first)), run("b", data=tuple(second))])
    assert found.same_data == 1
    assert [(one.split, one.path, *(each and each.sha256 for each in one.files)) for one in found.data] == [
        ("test", "x.de", None, "4"),
        ("train", "old.de", "3", None),
        ("train", "train.de", "1", "9"),
        ("valid", "x.de", "4", None),
    ]


def test_versions_machines_and_repositories() -> None:
    one = run("a", versions={"torch": "2.1", "seqloom-text": "1.0"}, git={"commit": "ab"}, device="cpu")
    two = run(
        "b",
        versions={"torch": "2.1"},
        environment={"cores": "2"},
        git={"commit": "cd"},
        device="cuda:0",
        kind="import",
    )

    assert compare([one, two]).facts == (
        Difference(key="kind", values=("train", "import")),
        Difference(key="device", values=("cpu", "cuda:0")),
        Difference(key="versions.seqloom-text", values=("1.0", None)),
        Difference(key="git.commit", values=("ab", "cd")),
        Difference(key="environment.cores", values=(None, "2")),
    )


def test_a_model_whose_run_nobody_knows() -> None:
    foreign = Subject(name="models:/foreign/1", run=None, scores=(Measured(score=score(30.0)),))
    known = [run("a", config={"x": 1}, data=(file("a", "1"),)), run("b", config={"x": 2})]

    found = compare([replace(known[0], scores=(score(31.0),)), foreign])
    assert found.names == ("a", "models:/foreign/1")
    assert found.unknown == (1,)
    assert found.scores[0].differences == (0.0, -1.0)
    assert (found.config, found.data, found.facts, found.same_data) == ((), (), (), 0)
    found = compare([known[0], foreign, known[1]])
    assert found.config == (Difference(key="x", values=("1", None, "2")),)
    assert [one.files for one in found.data] == [(file("a", "1"), None, None)]


def test_what_makes_no_comparison() -> None:
    with pytest.raises(UsageError, match=r"give at least two runs or models \(found 1\)"):
        compare([run("a")])
    with pytest.raises(UsageError, match=r"\(found 0\)"):
        compare([])
    with pytest.raises(UsageError, match="'a' is given twice"):
        compare([run("a"), run("b"), run("a")])
