"""What a look at a job's data finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from seqloom.build import Builder
from seqloom.catalog import Catalog
from seqloom.datacheck import DataReport, Finding, Tagged, check_data
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
    assert report.findings == report.measures == report.tags == ()
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


TABLE = "{file: %s.tsv, columns: {source: text, target: text}, tags: {speaker: who, place: where}}"


@pytest.fixture
def tagged(look: Look, workplace: Any) -> Look:
    """``tagged(train="ab", valid="c")``: the report on splits of an example by each of these speakers."""

    def tagged(**speakers: str) -> DataReport:
        for number, (name, given) in enumerate(speakers.items()):
            rows = [f"{number} {row}\t{who}\there" for row, who in enumerate(given)]
            (workplace.folder / f"{name}.tsv").write_text("\n".join(["text\twho\twhere", *rows]))
        splits = [f"data.{name}={TABLE % name}" for name in speakers]
        return look("tokenizers={joint: byte}", *["data.test=null"][: "test" not in speakers], *splits)

    return tagged


def test_tags_are_counted(tagged: Look) -> None:
    report = tagged(train="aabaaac", valid="dde")
    assert report.tags == (
        Tagged(split="train", tag="speaker", values=3, least=1, median=1, most=5),
        Tagged(split="train", tag="place", values=1, least=7, median=7, most=7),
        Tagged(split="valid", tag="speaker", values=2, least=1, median=1, most=2),
        Tagged(split="valid", tag="place", values=1, least=3, median=3, most=3),
    )


def test_values_of_a_tag_that_splits_share(tagged: Look, places: Callable[..., tuple[str, ...]]) -> None:
    report = tagged(train="abcdd", valid="xdddbxcd", test="xy")
    found = [(one.split, one.kind, one.count, one.first) for one in report.findings]
    d, b, c = places("valid.tsv:3", "valid.tsv:6", "valid.tsv:8")
    x, here, place = places("test.tsv:2", "test.tsv:2", "valid.tsv:2")
    assert found == [
        ("valid", "speaker is in train, too", 6, (f"{d}: d", f"{b}: b", f"{c}: c")),
        ("valid", "place is in train, too", 8, (f"{place}: here",)),
        ("test", "place is in train, too", 2, (f"{here}: here",)),
        ("test", "speaker is in valid, too", 1, (f"{x}: x",)),
        ("test", "place is in valid, too", 2, (f"{here}: here",)),
    ]


def test_examples_without_a_tag_share_no_value_of_it(look: Look, workplace: Any) -> None:
    for name in ("train", "valid"):
        (workplace.folder / f"{name}.tsv").write_text(f"text\twho\twhere\n1\tann{name}\there{name}\n")
    splits = [f"data.{name}=[{{source: {name}.src, target: {name}.tgt}}, {TABLE % name}]"
              for name in ("train", "valid")]  # fmt: skip
    report = look("data.test=null", *splits)
    assert [one for one in report.findings if "speaker" in one.kind] == []
    assert [(one.split, one.values, one.most) for one in report.tags] == [("train", 1, 1)] * 2 + [
        ("valid", 1, 1)
    ] * 2


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
