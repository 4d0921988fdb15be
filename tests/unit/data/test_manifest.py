"""Splits to examples."""

from __future__ import annotations

import gzip
import hashlib
from contextlib import contextmanager

import pytest

from seqloom.config import ParallelSplit, TableSplit
from seqloom.data.manifest import Examples, file_sha256, read_examples
from seqloom.data.splits import Slot, split_files
from seqloom.errors import DataError, StorageError

PARALLEL = {"source": "train.en", "target": "train.de"}
TEXT = {"source": Slot()}
PICTURE = {"image": Slot((".png",), "xywh")}


@pytest.fixture
def root(tmp_path):
    (tmp_path / "train.en").write_text("one\ntwo\nthree\n")
    (tmp_path / "train.de").write_text("eins\nzwei\ndrei\n")
    return tmp_path


def test_parallel_text(root):
    (root / "train.de.gz").write_bytes(gzip.compress((root / "train.de").read_bytes()))
    for target in ["train.de", "train.de.gz"]:
        first, second, third = read_examples({**PARALLEL, "target": target}, root, TEXT)
        assert first.example == (0, {"source": "one"}, "eins", ["eins"], {})
        assert second.example == (1, {"source": "two"}, "zwei", ["zwei"], {})
        assert third.example.id == 2
        assert third.files == {"source": root / "train.en", "target": root / target}
        assert third.line == 3


def test_a_table(root):
    (root / "train.csv").write_text('de,en\n"ei\nns",one\nzwei,two\n')
    split = TableSplit(file="train.csv", columns={"source": "en", "target": "de"})
    first, second = read_examples(split, root, TEXT)
    assert first.example == (0, {"source": "one"}, "ei\nns", ["ei\nns"], {})
    assert second.example.target == "zwei"
    assert second.files == {"source": root / "train.csv", "target": root / "train.csv"}
    assert (first.line, second.line) == (2, 4)


@pytest.mark.parametrize("split", [PARALLEL, {"source": "train.en"}])
def test_a_target_may_stay_unread(root, split):
    (root / "train.de").write_bytes(b"\xff\n")
    examples = [located.example for located in read_examples(split, root, TEXT, with_target=False)]
    assert examples[0] == (0, {"source": "one"}, None, [], {})
    assert len(examples) == 3


def test_reading_streams(root):
    (root / "train.en").write_bytes(b"one\n\xff\n")
    assert next(read_examples(PARALLEL, root, TEXT)).example.target == "eins"


def test_columns_of_paths_come_out_absolute_and_checked(root):
    (root / "images").mkdir()
    (root / "images" / "1.png").touch()
    (root / "train.tsv").write_text("images/1.png\ta\n../2.png\tb\n")
    split = TableSplit(file="train.tsv", columns={"image": 0, "target": 1})
    examples = read_examples(split, root, PICTURE)
    assert next(examples).example.inputs == {"image": str(root / "images" / "1.png")}
    with pytest.raises(DataError, match=r"train\.tsv:2: '\.\./2\.png' lies outside"):
        next(examples)
    (root / "train.tsv").write_text("images/2.png\ta\n")
    with pytest.raises(DataError, match=r"train\.tsv:1: no file 'images/2\.png'.*Did you mean '1\.png'"):
        next(read_examples(split, root, PICTURE))


@pytest.mark.parametrize(
    ("english", "german", "message", "at"),
    [
        ("a\nb\nc\n", "a\n", r"train\.en has 3, .*train\.de has 1", ("train.en", 2)),
        ("a\n", "a\nb\nc\nd", r"train\.en has 1, .*train\.de has 4", ("train.de", 2)),
        ("a\nb\n", "a\n \t\n", r"train\.de:2: nothing but white space for 'target'", ("train.de", 2)),
        ("\na\n", "a\nb\n", r"train\.en:1: nothing but white space for 'source'", ("train.en", 1)),
        ("", "a\n", "empty", ("train.en", None)),
    ],
)
def test_parallel_files_that_do_not_fit(root, english, german, message, at):
    (root / "train.en").write_text(english)
    (root / "train.de").write_text(german)
    with pytest.raises(DataError, match=message) as caught:
        list(read_examples(PARALLEL, root, TEXT))
    assert (caught.value.file, caught.value.line) == (root / at[0], at[1])


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ({"sourse": "a", "target": "b"}, r"no slot 'sourse'; there are: source, target\..*'source'\?"),
        ({"source": "train.en"}, "no file for 'target', only for source"),
        ({}, "no file for 'source', only for nothing"),
        (TableSplit(file="a.csv", columns={"target": 0}), "no column for 'source', only for target"),
        ({"source": "train.em", "target": "train.de"}, r"no file 'train\.em' in .*'train\.en'\?"),
        ({"source": "/etc/hostname", "target": "train.de"}, "outside the data's root"),
    ],
)
def test_splits_that_cannot_be_read(root, split, message):
    with pytest.raises(DataError, match=message):
        list(read_examples(split, root, TEXT))


@pytest.fixture
def many(root):
    for name in "ba":
        (root / f"{name}.en").write_text(f"{name} 1\n{name} 2\n")
        (root / f"{name}.de").write_text(f"{name} eins\n{name} zwei\n")
        (root / f"{name}.tsv").write_text(f"{name}\t{name}\n")
    return root


def test_patterns_are_read_file_by_file_in_order(many):
    found = list(read_examples({"source": "[ab].en", "target": "[ab].de"}, many, TEXT))
    assert [one.example.inputs["source"] for one in found] == ["a 1", "a 2", "b 1", "b 2"]
    assert [one.example.target for one in found] == ["a eins", "a zwei", "b eins", "b zwei"]
    assert [one.example.id for one in found] == [0, 1, 2, 3]
    assert found[3].files == {"source": many / "b.en", "target": many / "b.de"}
    assert found[3].line == 2
    table = TableSplit(file="?.tsv", columns={"source": 0, "target": 1})
    assert [one.example.target for one in read_examples(table, many, TEXT)] == ["a", "b"]
    assert split_files(table, many) == [many / "a.tsv", many / "b.tsv"]


def test_a_list_is_read_part_by_part(many):
    table = TableSplit(file="b.tsv", columns={"source": 0, "target": 1})
    split = (table, PARALLEL, table)
    targets = [one.example.target for one in read_examples(split, many, TEXT)]
    assert targets == ["b", "eins", "zwei", "drei", "b"]  # what is listed twice is read twice
    assert split_files(split, many) == [many / "b.tsv", many / "train.en", many / "train.de"]
    long = (table, ParallelSplit(files=PARALLEL, weight=2), table)
    found = list(read_examples(long, many, TEXT))
    assert [one.example.target for one in found] == targets  # weights are for who makes batches
    assert [one.part for one in found] == [0, 1, 1, 1, 2]
    assert split_files(long, many) == split_files(split, many)
    with pytest.raises(DataError, match="no file for 'target'"):
        list(read_examples((table, {"source": "train.en"}), many, TEXT))


def test_patterns_need_partners(many):
    with pytest.raises(DataError, match=r"as many files each.*'\*\.en' 3, '\[ab\]\.de' 2"):
        list(read_examples({"source": "*.en", "target": "[ab].de"}, many, TEXT))


# Several targets ----------------------------------------------------------------------------------------


def targets_of(split, root, slots=TEXT, **options):
    """Id, source, target and references of each example."""
    found = (located.example for located in read_examples(split, root, slots, **options))
    return [(one.id, one.inputs["source"], one.target, one.references) for one in found]


def write_captions(root):
    (root / "c.jsonl").write_text('{"en": "a", "de": ["x", "y"]}\n{"en": "b", "de": "z"}\n')
    (root / "c.tsv").write_text("a\tx\ty\nb\tz\t\n")
    for name, text in {"en": "a\nb\n", "de": "x\nz\n", "at": "y\n\n"}.items():
        (root / f"c.{name}").write_text(text)


SEVERAL = [
    TableSplit(file="c.jsonl", columns={"source": "en", "target": "de"}),
    TableSplit(file="c.tsv", columns={"source": 0, "target": [1, 2]}),
    {"source": "c.en", "target": ["c.de", "c.at"]},
]


@pytest.mark.parametrize("split", SEVERAL)
def test_several_targets_are_references_or_examples_of_their_own(root, split):
    write_captions(root)
    assert targets_of(split, root) == [(0, "a", "x", ["x", "y"]), (1, "b", "z", ["z"])]
    apart = [(0, "a", "x", ["x"]), (1, "a", "y", ["y"]), (2, "b", "z", ["z"])]
    assert targets_of(split, root, apart=True) == apart
    assert [one.target for one in Examples(split, root, TEXT, apart=True)] == ["x", "y", "z"]
    lines = [located.line for located in read_examples(split, root, TEXT, apart=True)]
    assert lines == [1, 1, 2]


def test_the_first_targets_alone_may_be_taken(root):
    write_captions(root)
    table = SEVERAL[0].model_copy(update={"targets": 1})
    files = ParallelSplit(files=SEVERAL[2], targets=1)
    for split in (table, files):
        assert targets_of(split, root) == [(0, "a", "x", ["x"]), (1, "b", "z", ["z"])]


def test_no_target_among_several_is_an_error(root):
    (root / "c.jsonl").write_text(
        '{"en": "a", "de": []}\n{"en": "b", "de": [" "]}\n{"en": ["", " "], "de": "z"}\n'
    )
    errors = []
    assert targets_of(SEVERAL[0], root, bad=errors.append) == []
    assert [str(error).removeprefix(f"{root}/") for error in errors] == [
        "c.jsonl:1: nothing but white space for 'target'",
        "c.jsonl:2: nothing but white space for 'target'",
        "c.jsonl:3: nothing but white space for 'source'",
    ]


def test_several_texts_of_an_input_are_lines_of_one(root):
    (root / "c.jsonl").write_text('{"en": ["b b.", "", "c."], "de": "z", "who": ["x", "y"]}\n')
    assert targets_of(SEVERAL[0], root) == [(0, "b b.\nc.", "z", ["z"])]
    tagged = SEVERAL[0].model_copy(update={"tags": {"speaker": "who"}})
    with pytest.raises(DataError, match="2 texts for 'tag speaker', which has one"):
        targets_of(tagged, root)


def test_files_of_references_need_as_many_lines(root):
    write_captions(root)
    (root / "c.at").write_text("y\n")
    with pytest.raises(DataError, match=r"c\.en has 2, .*c\.de has 2, .*c\.at has 1"):
        targets_of(SEVERAL[2], root)
    assert split_files(SEVERAL[2], root) == [root / "c.en", root / "c.de", root / "c.at"]


# Bad examples ------------------------------------------------------------------------------------------


def test_bad_lines_are_left_out_of_all_slots(root):
    (root / "train.en").write_bytes(b"one\n\xff\n \nfour\n")
    (root / "train.de").write_bytes(b"eins\nzwei\ndrei\nvier\n")
    errors = []
    found = list(read_examples(PARALLEL, root, TEXT, bad=errors.append))
    assert [(located.example.target, located.line) for located in found] == [("eins", 1), ("vier", 4)]
    assert [(error.file, error.line) for error in errors] == [
        (root / "train.en", 2),
        (root / "train.en", 3),
    ]
    assert [example.target for example in Examples(PARALLEL, root, TEXT, bad=errors.append)] == [
        "eins",
        "vier",
    ]
    (root / "train.de").write_bytes(b"eins\n")
    with pytest.raises(DataError, match="need as many lines each"):
        list(read_examples(PARALLEL, root, TEXT, bad=errors.append))


def test_an_error_of_who_reads_is_not_taken_for_one_of_the_data(root):
    examples = read_examples(PARALLEL, root, TEXT, bad=lambda error: pytest.fail(str(error)))
    next(examples)
    with pytest.raises(DataError, match="theirs"):
        examples.throw(DataError("theirs"))


def test_examples_are_read_anew_each_time(root):
    examples = Examples(PARALLEL, root, TEXT)
    assert list(examples) == list(examples)
    (root / "train.de").write_text("")
    with pytest.raises(DataError, match="empty"):
        list(examples)


def test_going_through_them_is_watched(many, monkeypatch):
    monkeypatch.setattr("seqloom.data.manifest.TELL_EVERY", 2)
    told = []

    @contextmanager
    def watch():
        yield lambda examples, share: told.append((examples, share))
        told.append("over")

    table = TableSplit(file="b.tsv", columns={"source": 0, "target": 1})
    list(Examples((PARALLEL, table, PARALLEL), many, TEXT, watch=watch))
    first, second, third, over = told
    assert [first[0], second[0], third[0], over] == [2, 4, 6, "over"]
    assert 0 < first[1] < second[1] < third[1] == 1


def test_the_files_of_a_split(root):
    assert split_files(PARALLEL, root) == [root / "train.en", root / "train.de"]
    assert split_files({"source": "train.en", "target": "train.en"}, root) == [root / "train.en"]
    (root / "t.tsv").touch()
    assert split_files(TableSplit(file="t.tsv", columns={"target": 0}), root) == [root / "t.tsv"]
    with pytest.raises(DataError, match="no file 'gone'"):
        split_files({"source": "gone"}, root)


def test_the_hash_of_a_file(root):
    content = (root / "train.en").read_bytes()
    assert file_sha256(root / "train.en") == hashlib.sha256(content).hexdigest()
    with pytest.raises(StorageError, match="gone: cannot read it"):
        file_sha256(root / "gone")
