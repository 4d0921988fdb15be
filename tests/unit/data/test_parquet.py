"""Rows of Parquet files."""

from __future__ import annotations

import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seqloom.config import TableSplit
from seqloom.data.files import Meter
from seqloom.data.manifest import Examples, read_examples
from seqloom.data.parquet import parquet_rows
from seqloom.data.splits import Slot, split_files
from seqloom.errors import ConfigError, DataError, StorageError

BY_NAME = {"source": ["en"], "target": ["de"]}
SPLIT = TableSplit(file="t.parquet", columns={"source": "en", "target": "de"})
TEXT = {"source": Slot()}


@pytest.fixture
def write(tmp_path):
    def write(name="t.parquet", **columns):
        options = {"row_group_size": 3} if columns["en"] else {}
        pq.write_table(pa.table(columns), tmp_path / name, **options)
        return tmp_path / name

    return write


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()])
def test_rows_come_with_their_numbers(write, kind, monkeypatch):
    monkeypatch.setattr("seqloom.data.parquet.ROWS", 2)
    english, german = [f"{n} one" for n in range(8)], [f"{n} ü" for n in range(8)]
    path = write(id=range(8), de=pa.array(german, kind), en=pa.array(english, kind))
    meter = Meter([path])
    rows = list(parquet_rows(path, BY_NAME, meter))
    expected = zip(english, german, range(1, 9), strict=True)
    assert [(*row.texts["source"], *row.texts["target"], row.line) for row in rows] == list(expected)
    assert meter.share > 0.5


def test_one_column_may_serve_two_slots(write):
    path = write(en=["a", "b"])
    rows = parquet_rows(path, {"source": ["en"], "target": ["en"]}, Meter())
    assert [row.texts for row in rows] == [
        {"source": ["a"], "target": ["a"]},
        {"source": ["b"], "target": ["b"]},
    ]


@pytest.mark.parametrize("kind", [pa.list_, pa.large_list])
@pytest.mark.parametrize("text", [pa.string(), pa.large_string()])
def test_a_column_may_be_of_lists(write, kind, text):
    path = write(en=["a", "b", "c"], de=pa.array([["x", "ü"], [], ["y", None]], kind(text)))
    one, none, bad = parquet_rows(path, BY_NAME, Meter())
    assert one.texts == {"source": ["a"], "target": ["x", "ü"]}
    assert none.texts == {"source": ["b"], "target": []}
    assert str(bad).endswith("t.parquet:3: 'de' is null in this row")


def test_bad_rows_are_located_and_others_follow(write, tmp_path):
    english = pa.array([b"one", None, b"\xff", b" ", b"five"], pa.binary()).view(pa.string())
    path = write(en=english, de=list("abcde"))
    errors = []
    found = list(read_examples(SPLIT, tmp_path, TEXT, bad=errors.append))
    assert [(one.example.target, one.line, one.files["source"]) for one in found] == [
        ("a", 1, path),
        ("e", 5, path),
    ]
    assert [str(error).removeprefix(f"{tmp_path}/") for error in errors] == [
        "t.parquet:2: 'en' is null in this row",
        "t.parquet:3: 'en' is not UTF-8 in this row: invalid start byte",
        "t.parquet:4: nothing but white space for 'source'",
    ]
    assert len(list(Examples(SPLIT, tmp_path, TEXT, bad=errors.append))) == 2


@pytest.mark.parametrize(
    ("columns", "wanted", "message"),
    [
        ({"en": ["a"]}, BY_NAME, r"t\.parquet: no column 'de'; there are: en\."),
        ({"en": ["a"]}, {"source": [0]}, r"t\.parquet: column 0 needs a name"),
        (
            {"en": [1]},
            {"source": ["en"]},
            r"t\.parquet: column 'en' needs to be of strings or .*, not of int64",
        ),
        ({"en": [[1]]}, {"source": ["en"]}, r"t\.parquet: column 'en' needs .*, not of list<.*int64>"),
        ({"en": pa.array([], pa.string())}, {"source": ["en"]}, r"t\.parquet: the file has no row"),
    ],
)
def test_files_that_cannot_be_used(write, columns, wanted, message):
    path = write(**columns)
    with pytest.raises(DataError, match=message):
        list(parquet_rows(path, wanted, Meter()))


def test_damaged_files_are_named(write, tmp_path):
    path = write(en=[f"{n * n}" for n in range(5000)])
    whole = path.read_bytes()
    for damaged in (b"", b"plain text", whole[: len(whole) // 2], b"PAR1" + b"\xff" * 5000 + whole[5004:]):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"t\.parquet: broken Parquet: "):
            list(parquet_rows(path, {"source": ["en"]}, Meter()))
    with pytest.raises(DataError, match="gone: there is no such file"):
        list(parquet_rows(tmp_path / "gone", {"source": ["en"]}, Meter()))
    with pytest.raises(StorageError, match="cannot read it: Is a directory"):
        list(parquet_rows(tmp_path, {"source": ["en"]}, Meter()))


def test_a_missing_package_is_named(write, tmp_path, monkeypatch):
    write(en=["a"], de=["b"])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for read in (split_files, lambda split, root: list(read_examples(split, root, TEXT))):
        with pytest.raises(ConfigError, match=r"pyarrow.*pip install 'seqloom\[parquet\]'"):
            read(SPLIT, tmp_path)
