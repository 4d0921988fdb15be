"""Rows of TSV, CSV and JSONL."""

from __future__ import annotations

import gzip
import json

import pytest

from seqloom.data.tables import read_rows
from seqloom.errors import DataError

BY_NAME = {"source": ["en"], "target": ["de"]}


def write(path, text):
    content = text.encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.fixture
def rows(tmp_path):
    def read(name, text, columns=BY_NAME):
        found = []
        for row in read_rows(write(tmp_path / name, text), columns):
            if isinstance(row, DataError):
                raise row
            found.append((*(text for texts in row.texts.values() for text in texts), row.line))
        return found

    return read


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_each_kind_gives_the_same(rows, ending):
    expected = [("one", "eins", 2), ("two", "zwei", 3)]
    assert rows(f"t.tsv{ending}", "de\tid\ten\neins\t1\tone\nzwei\t2\ttwo\n") == expected
    assert rows(f"t.csv{ending}", "de,id,en\neins,1,one\nzwei,2,two\n") == expected
    objects = [{"de": "eins", "en": "one", "id": 1}, {"de": "zwei", "en": "two"}]
    jsonl = "\n".join(map(json.dumps, objects))
    assert rows(f"t.jsonl{ending}", jsonl) == [(*row[:2], row[2] - 1) for row in expected]


def test_numbered_columns_have_no_header(rows):
    columns = {"source": [2], "target": [0]}
    assert rows("t.tsv", "eins\t1\tone\nzwei\t2\ttwo", columns) == [("one", "eins", 1), ("two", "zwei", 2)]
    assert rows("t.csv", "eins,1,one", columns) == [("one", "eins", 1)]


def test_csv_quotes_hold_commas_quotes_and_line_breaks(rows):
    text = 'en,de\r\n"a, ""b""","x\r\ny"\r\nlast,\u2028\r\n'
    assert rows("t.csv", text) == [('a, "b"', "x\ny", 2), ("last", "\u2028", 4)]


def test_tsv_has_no_quotes(rows):
    assert rows("t.tsv", 'en\tde\n"a\tb"\n') == [('"a', 'b"', 2)]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.txt", "a", r"t\.txt: a table's name ends in"),
        ("t.gz", "a", r"t\.gz: a table's name ends in"),
        ("t.tsv", "en\tdee\na\tb", r"t\.tsv:1: no column 'de'.*Did you mean 'dee'"),
        ("t.tsv", "en\tde\ten\na\tb\tc", r"t\.tsv:1: several columns are called 'en'"),
        ("t.tsv", "en\tde\n", r"t\.tsv:1: a header, but no example"),
        ("t.tsv", "en\tde\na\tb\na\n", r"t\.tsv:3: fields in this row: 1, in the first: 2"),
        ("t.tsv", "en\tde\na\tb\tc\n", r"t\.tsv:2: fields in this row: 3, in the first: 2"),
        ("t.tsv", "en\tde\n\na\tb\n", r"t\.tsv:2: an empty line"),
        ("t.csv", "en,de\na,b\n\na,b\n", r"t\.csv:3: an empty line"),
        ("t.csv", 'en,de\n"a\nb",c\n"d,e\nf,g\n', r"t\.csv:4: malformed CSV"),
        ("t.csv", 'en,de\n"a"b,c\n', r"t\.csv:2: malformed CSV"),
        ("t.jsonl", '{"en": "a", "de": "b"}\n\n', r"t\.jsonl:2: an empty line"),
        ("t.jsonl", '{"en": "a",\n', r"t\.jsonl:1: malformed JSON: Expecting"),
        ("t.jsonl", "[" * 100_000, r"t\.jsonl:1: malformed JSON"),
        ("t.jsonl", '["a"]', r"t\.jsonl:1: each line needs to be an object, not a list"),
        ("t.jsonl", '{"en": "a", "dee": "b"}', r"t\.jsonl:1: no column 'de'.*Did you mean 'dee'"),
        (
            "t.jsonl",
            '{"en": 1.5, "de": "b"}',
            r"t\.jsonl:1: 'en' needs to be a string or a list .*, not a number",
        ),
        (
            "t.jsonl",
            '{"en": null, "de": "b"}',
            r"'en' needs to be a string or a list of strings, not a null",
        ),
        ("t.jsonl", '{"en": ["a", 1], "de": "b"}', "'en' needs to be a list of strings, not of a number"),
        ("t.jsonl", '{"en": "\\ud83d", "de": "b"}', r"t\.jsonl:1: half of a surrogate pair \(\\ud83d\)"),
    ],
)
def test_mistakes_are_located(rows, name, text, message):
    with pytest.raises(DataError, match=message):
        rows(name, text)


@pytest.mark.parametrize(
    ("name", "columns", "message"),
    [
        ("t.tsv", {"source": [0], "target": [2]}, r"t\.tsv:1: no column 2; there are 2"),
        ("t.tsv", {"source": [-1], "target": [0]}, "no column -1"),
        ("t.tsv", {"source": [0], "target": [1, "de"]}, r"column 'de' has a name.*name all or number all"),
        ("t.jsonl", {"source": [0], "target": [1]}, "column 0 needs a name"),
    ],
)
def test_columns_that_cannot_be_are_refused(rows, name, columns, message):
    with pytest.raises(DataError, match=message):
        rows(name, "a\tb\n", columns)


@pytest.mark.parametrize(
    ("name", "content", "bad"),
    [
        ("t.tsv", b"en\tde\na\tb\n\xff\tb\n\nc\nd\te\n", ["3: not UTF-8", "4: an empty", "5: fields in"]),
        ("t.csv", b'en,de\na,b\n"\xff\n",b\n\nc\nd,e\n', ["3: not UTF-8", "5: an empty", "6: fields in"]),
        (
            "t.jsonl",
            b'{"en": "a", "de": "b"}\n\xff\n\n{"en": "c"}\n{"en": "d", "de": "e"}\n',
            ["2: not UTF-8", "3: an empty", "4: no column 'de'"],
        ),
    ],
)
def test_rows_follow_those_that_cannot_be_used(tmp_path, name, content, bad):
    (tmp_path / name).write_bytes(content)
    rows = list(read_rows(tmp_path / name, BY_NAME))
    texts = [
        tuple(*zip(*row.texts.values(), strict=True)) for row in rows if not isinstance(row, DataError)
    ]
    errors = [str(row).removeprefix(f"{tmp_path / name}:") for row in rows if isinstance(row, DataError)]
    assert texts == [("a", "b"), ("d", "e")]
    assert [error[: len(start)] for error, start in zip(errors, bad, strict=True)] == bad


def test_a_header_that_is_not_utf8_is_refused(tmp_path):
    (tmp_path / "t.tsv").write_bytes(b"en\xff\tde\na\tb\n")
    with pytest.raises(DataError, match=r"t\.tsv:1: not UTF-8"):
        list(read_rows(tmp_path / "t.tsv", BY_NAME))


def test_a_field_may_be_long(tmp_path):
    (tmp_path / "t.csv").write_text("en,de\n" + "a" * 140_000 + ",b\n", encoding="utf-8")
    (row,) = read_rows(tmp_path / "t.csv", {"source": ["en"]})
    assert [len(text) for text in row.texts["source"]] == [140_000]


def test_several_columns_of_a_slot_are_read_together(tmp_path):
    columns = {"target": ["de", "at"], "source": ["en"]}
    expected = [{"target": ["b", "c"], "source": ["a"]}]
    assert [r.texts for r in read_rows(write(tmp_path / "t.csv", "en,de,at\na,b,c\n"), columns)] == expected
    text = '{"en": "a", "de": ["b"], "at": "c"}'
    assert [r.texts for r in read_rows(write(tmp_path / "t.jsonl", text), columns)] == expected
