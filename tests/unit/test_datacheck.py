"""What a look at a job's data finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from seqloom.build import Builder
from seqloom.catalog import Catalog
from seqloom.datacheck import DataReport, Finding, check_data
from seqloom.errors import DataError
from seqloom.jobfile import Job

Look = Callable[..., DataReport]

CLEAN = {
    "train": [("1 2 3", "3 2 1"), ("4 5", "5 4"), ("6", "6")],
    "valid": [("1 4", "4 1")],
    "test": [("5 6", "6 5")],
}


@pytest.fixture
def look(job: Callable[..., Job], catalog: Catalog, workplace: Any) -> Look:
    """``look(train=[("1 2", "2 1")])``: the report on a job with some splits changed."""

    def look(*overrides: str, **splits: Sequence[tuple[str, str]]) -> DataReport:
        rows: Mapping[str, Sequence[tuple[str, str]]] = CLEAN | splits
        for name, pairs in rows.items():
            for side, ending in enumerate(("src", "tgt")):
                text = "".join(f"{pair[side]}\n" for pair in pairs)
                (workplace.folder / f"{name}.{ending}").write_text(text, encoding="utf-8")
        loaded = job(*overrides)
        return check_data(loaded, Builder(loaded.config, catalog))

    return look


@pytest.fixture
def places(workplace: Any) -> Callable[..., tuple[str, ...]]:
    return lambda *names: tuple(f"{workplace.folder / name}" for name in names)


def test_clean_data_has_lengths_and_no_findings(look: Look) -> None:
    report = look()
    assert report.findings == ()
    found = [
        (row.split, row.slot, row.examples, row.least, row.median, row.p95, row.most)
        for row in report.lengths
    ]
    assert found == [  # words and EOS
        ("train", "source", 3, 2, 3, 4, 4),
        ("train", "target", 3, 2, 3, 4, 4),
        ("valid", "source", 1, 3, 3, 3, 3),
        ("valid", "target", 1, 3, 3, 3, 3),
        ("test", "source", 1, 3, 3, 3, 3),
        ("test", "target", 1, 3, 3, 3, 3),
    ]


def test_percentiles_are_lengths_of_examples(look: Look) -> None:
    rows = [(" ".join(["1"] * n), "1 2") for n in range(1, 101)]
    (source, *_) = look(train=rows, valid=[("2", "1")], test=[("1", "1")]).lengths
    assert (source.least, source.median, source.p95, source.p99, source.most) == (2, 51, 96, 100, 101)


def test_each_finding_names_the_first_examples(look: Look, places: Callable[..., tuple[str, ...]]) -> None:
    pairs = [
        ("1 2", "2 1"),
        ("3", "3"),
        ("1 2", "2 1"),
        ("1 2", "1 2"),
        ("1", " ".join("23456" * 4)),
        *[("1 2", "2 1")] * 3,
    ]
    report = look("data.max_length=20", train=pairs)
    assert report.findings[:3] == (
        Finding(
            split="train",
            kind="repeats an earlier one",
            count=4,
            first=places("train.src:3", "train.src:6", "train.src:7"),
        ),
        Finding(
            split="train",
            kind="slots differ in length more than 9 times",
            count=1,
            first=places("train.src:5"),
        ),
        Finding(split="train", kind="longer than data.max_length", count=1, first=places("train.src:5")),
    )


def test_what_cannot_be_used_is_told_with_its_reason(
    look: Look, places: Callable[..., tuple[str, ...]]
) -> None:
    (found,) = look(valid=[("1", "1"), (" ", "2"), ("2", "2"), ("3", "")]).findings
    (first, second) = places("valid.src:2", "valid.tgt:4")
    assert (found.split, found.kind, found.count) == ("valid", "cannot be used", 2)
    assert found.first == (
        f"{first}: nothing but white space for 'source'",
        f"{second}: nothing but white space for 'target'",
    )


def test_a_split_of_which_nothing_can_be_used(look: Look) -> None:
    report = look(valid=[("", "1")])
    assert [row.most for row in report.lengths if row.split == "valid"] == [0, 0]
    assert [found.kind for found in report.findings] == ["cannot be used"]


def test_unknown_tokens(look: Look, places: Callable[..., tuple[str, ...]]) -> None:
    (found,) = look(valid=[("1 7", "1"), ("1", "1"), ("8 9", "1")]).findings
    assert (found.split, found.kind) == ("valid", "tokens of source outside the vocabulary")
    assert (found.count, found.first) == (2, places("valid.src:1", "valid.src:3"))
    assert look("tokenizers={joint: byte}", valid=[("1 7", "1")]).findings == ()


def test_each_target_of_training_is_an_example(look: Look, places: Callable[..., tuple[str, ...]]) -> None:
    several = "{source: %s.src, target: [%s.tgt, %s.src]}"
    splits = [f"data.{name}={several % (name, name, name)}" for name in ("train", "valid")]
    report = look(*splits)
    counts = {(row.split, row.slot): row.examples for row in report.lengths}
    assert (counts["train", "target"], counts["valid", "target"]) == (6, 1)
    (found,) = report.findings
    assert (found.split, found.kind, found.first) == (
        "train",
        "repeats an earlier one",
        places("train.src:3"),
    )


def test_examples_of_several_splits(look: Look, places: Callable[..., tuple[str, ...]]) -> None:
    report = look(valid=[("6", "6"), ("2", "2"), ("4 5", "4 5")], test=[("2", "2"), ("3", "3")])
    found = [(one.split, one.kind, one.count, one.first) for one in report.findings]
    assert found == [
        ("valid", "is in train, too", 1, places("valid.src:1")),
        ("valid", "inputs are in train, with another target", 1, places("valid.src:3")),
        ("test", "is in valid, too", 1, places("test.src:1")),
    ]


def test_a_job_without_a_test_set(look: Look) -> None:
    assert {row.split for row in look("data.test=null").lengths} == {"train", "valid"}


def test_files_that_do_not_fit_are_an_error(
    look: Look, workplace: Any, job: Callable[..., Job], catalog: Catalog
) -> None:
    look()
    (workplace.folder / "test.tgt").write_text("1\n2\n")
    loaded = job()
    with pytest.raises(DataError, match="need as many lines each"):
        check_data(loaded, Builder(loaded.config, catalog))
