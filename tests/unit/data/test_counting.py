"""A file's rows are counted as its readers read them, in the pass that hashes it."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from seqloom.data import counting
from seqloom.data.counting import content_of
from seqloom.data.manifest import file_sha256
from seqloom.data.tables import read_rows
from seqloom.errors import StorageError


@pytest.mark.parametrize(
    ("name", "text", "header", "rows"),
    [
        ("a.txt", "a\nb\n", False, 2),
        ("a.txt", "a\nb", False, 2),
        ("a.txt", "", False, 0),
        ("a.txt", "\n\n", False, 2),
        ("a.txt", "a\r\nb\u2028c\r\n", False, 2),
        ("a.tsv", 's\tt\n1\t"2\n', True, 1),
        ("a.csv", 's,t\n"1\n""\n""",2\n3,"4\n"', True, 2),
        ("a.csv", "1,2\n3,4\n", False, 2),
        ("a.jsonl", '{"s": "1"}\n{"s": "2"}', False, 2),
    ],
)
@pytest.mark.parametrize("block", [1, 2, 1 << 20])
def test_rows_are_counted(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    text: str,
    header: bool,
    rows: int,
    block: int,
) -> None:
    monkeypatch.setattr(counting, "BLOCK_BYTES", block)
    file = tmp_path / name
    file.write_bytes(text.encode())
    found = content_of(file, header=header)
    assert found == (file_sha256(file), len(text.encode()), rows)
    if file.suffix != ".txt":
        columns = {"s": ["s"]} if header or name == "a.jsonl" else {"s": [0]}
        assert len(list(read_rows(file, columns))) == rows


def test_parquet_says_how_many_rows_it_has(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow.parquet import write_table

    file = tmp_path / "a.parquet"
    write_table(pyarrow.table({"s": ["1", "2", "3"]}), file)
    assert content_of(file).rows == 3
    file.write_bytes(b"PAR1\n\n")
    assert content_of(file).rows is None


@pytest.mark.parametrize("name", ["a.txt.gz", "a.jsonl.gz", "a.tar"])
def test_what_takes_another_pass_is_not_counted(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(gzip.compress(b"a\nb\n"))
    assert content_of(tmp_path / name).rows is None


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot read it: Is a directory"):
        content_of(tmp_path)
