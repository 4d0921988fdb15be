"""Which rows does a table have? TSV, CSV and JSONL to the texts of some columns."""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from seqloom.data.files import Meter, UndecodableError, scan_lines
from seqloom.errors import DataError, unknown_name

LONGEST_FIELD = 2**31 - 1
"""Characters; Python's own limit of 131,072 is less than a document may have."""

Columns = Mapping[str, Sequence[int | str]]
"""For each slot its columns: names, or numbers from 0; several where it may have several texts."""


class Row(NamedTuple):
    """One example's texts.

    Attributes:
        texts: Those of each slot; an example may have several targets.
        line: The line, counted from 1, at which the row begins.
    """

    texts: dict[str, list[str]]
    line: int


class Fields(NamedTuple):
    """All fields of one row of a file, and the line at which it begins."""

    texts: list[str]
    line: int


def read_rows(
    path: Path, columns: Columns, meter: Meter | None = None, numbers: Collection[str] = ()
) -> Iterator[Row | DataError]:
    """The rows of a ``.tsv``, ``.csv`` or ``.jsonl`` file, plain or ``.gz``, by the file's name.

    TSV knows no quotes: a tab always ends a field. CSV is as RFC 4180 has it; a quoted field may hold
    line breaks. Each line of JSONL is one object whose wanted values are strings or lists of strings, or
    numbers where they may be.

    A row that cannot be used comes as an error, not raised: others may follow it.

    Args:
        path: The file.
        columns: What is wanted of it.
        meter: Counts the bytes that are read.
        numbers: Of the columns' keys, those whose values may be numbers.

    Raises:
        DataError: The file's kind is unknown, its header lacks a column, or its CSV is malformed, so
            that nobody knows where the next row begins.
        StorageError: The file cannot be read.
    """
    match Path(path.name.removesuffix(".gz")).suffix:
        case ".tsv":
            return _select(path, columns, _tsv_fields(path, meter))
        case ".csv":
            return _select(path, columns, _csv_fields(path, meter))
        case ".jsonl":
            return _jsonl_rows(path, columns, meter, numbers)
    raise DataError("a table's name ends in .parquet, .tar, or in .tsv, .csv or .jsonl, plain or .gz", path)


def _tsv_fields(path: Path, meter: Meter | None) -> Iterator[Fields | DataError]:
    for line, text in enumerate(scan_lines(path, meter), 1):
        yield text if isinstance(text, DataError) else Fields(text.split("\t"), line)


def _csv_fields(path: Path, meter: Meter | None) -> Iterator[Fields | DataError]:
    csv.field_size_limit(LONGEST_FIELD)
    undecodable: list[UndecodableError] = []

    def texts() -> Iterator[str]:
        for line in scan_lines(path, meter):
            if isinstance(line, UndecodableError):
                undecodable.append(line)
                line = line.text  # noqa: PLW2901 - its quotes count all the same
            yield line + "\n"

    reader = csv.reader(texts(), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise DataError(f"malformed CSV in the record that begins here: {error}", path, line) from error
        yield undecodable[0] if undecodable else Fields(fields, line)
        undecodable.clear()


def _select(
    path: Path, columns: Columns, records: Iterator[Fields | DataError]
) -> Iterator[Row | DataError]:
    """The wanted fields of each record; the first record, header or not, says how many all have."""
    first = next(records)  # a file without a line has been refused
    if isinstance(first, DataError):
        raise first
    width = len(first.texts)
    if all(isinstance(column, str) for column in chain(*columns.values())):
        numbers = {
            slot: [_number(path, str(name), first.texts) for name in names]
            for slot, names in columns.items()
        }
        begin = next(records, None)
        if begin is None:
            raise DataError("a header, but no example", path, first.line)
    else:
        numbers = {
            slot: [_checked(path, column, width) for column in several] for slot, several in columns.items()
        }
        begin = first
    for record in chain([begin], records):
        if isinstance(record, DataError):
            yield record
        elif not any(record.texts):
            yield DataError("an empty line", path, record.line)
        elif len(record.texts) != width:
            found = f"fields in this row: {len(record.texts)}, in the first: {width}"
            yield DataError(found, path, record.line)
        else:
            texts = {slot: [record.texts[number] for number in own] for slot, own in numbers.items()}
            yield Row(texts, record.line)


def _number(path: Path, name: str, header: list[str]) -> int:
    """Which field a column's name stands for."""
    if name not in header:
        raise DataError(unknown_name("column", name, header), path, 1)
    if header.count(name) > 1:
        raise DataError(f"several columns are called '{name}'; use numbers instead", path, 1)
    return header.index(name)


def _checked(path: Path, column: int | str, width: int) -> int:
    """A column's number, where that is what it is."""
    if isinstance(column, str):
        raise DataError(f"column '{column}' has a name, others a number: name all or number all", path)
    if not 0 <= column < width:
        raise DataError(f"no column {column}; there are {width}, counted from 0", path, 1)
    return column


def _jsonl_rows(
    path: Path, columns: Columns, meter: Meter | None, numbers: Collection[str]
) -> Iterator[Row | DataError]:
    for column in chain(*columns.values()):
        if isinstance(column, int):
            raise DataError(f"column {column} needs a name: JSONL has no numbered columns", path)
    for line, text in enumerate(scan_lines(path, meter), 1):
        yield text if isinstance(text, DataError) else _jsonl_row(text, columns, numbers, path, line)


def _jsonl_row(
    text: str, columns: Columns, numbers: Collection[str], path: Path, line: int
) -> Row | DataError:
    try:
        found = read_object(text)
        return Row(
            {
                slot: [text for name in names for text in texts_in(found, str(name), slot in numbers)]
                for slot, names in columns.items()
            },
            line,
        )
    except DataError as error:
        return DataError(str(error), path, line)


def read_object(text: str) -> dict[str, Any]:
    """The object of JSON that a text is.

    Raises:
        DataError: It is something else.
    """
    if not text.strip():
        raise DataError("an empty line")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"malformed JSON: {error}") from error
    if not isinstance(found, dict):
        raise DataError(f"each line needs to be an object, not a {_kind(found)}")
    return found


def texts_in(found: Mapping[str, Any], name: str, may_be_number: bool = False) -> list[str]:
    """The text of an object's value, or those of its list.

    Raises:
        DataError: There is no such value, or it is something else.
    """
    if name not in found:
        raise DataError(unknown_name("column", name, found))
    value = found[name]
    if may_be_number and isinstance(value, int | float) and not isinstance(value, bool):
        return [repr(value)]
    if isinstance(value, str):
        return [_whole(value)]
    if not isinstance(value, list):
        raise DataError(f"'{name}' needs to be a string or a list of strings, not a {_kind(value)}")
    for item in value:
        if not isinstance(item, str):
            raise DataError(f"'{name}' needs to be a list of strings, not of a {_kind(item)}")
    return [_whole(item) for item in value]


def _whole(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise DataError(f"half of a surrogate pair (\\u{ord(text[error.start]):04x}) is no text") from error
    return text


def _kind(value: Any) -> str:
    """What JSON calls it."""
    names = {dict: "object", list: "list", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number")
