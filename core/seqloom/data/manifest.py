"""Which examples does a split have? Parallel text and tables to :class:`Example`, one at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from seqloom.config import PartConfig, SplitConfig, TableSplit
from seqloom.data.files import UndecodableError, find_file, find_files, scan_lines
from seqloom.data.skipping import Refuse, refuse
from seqloom.data.tables import Row, read_rows
from seqloom.errors import DataError, StorageError, unknown_name
from seqloom.task import Example

TARGET = "target"
"""The slot of every task's target."""


class Located(NamedTuple):
    """An example, and where it was found.

    Attributes:
        example: The example.
        files: The file of each slot; none for examples that come from no file.
        line: The line, counted from 1, at which it begins in each of them.
    """

    example: Example
    files: Mapping[str, Path] = MappingProxyType({})
    line: int | None = None


@dataclass(frozen=True)
class Examples:
    """A split's examples, read from its files each time one goes through them.

    Attributes:
        split: The files.
        root: The folder they are relative to.
        slots: The task's input slots, and for each whether its column holds paths of files.
        bad: Is told of those that cannot be used.
    """

    split: SplitConfig
    root: Path
    slots: Mapping[str, bool]
    bad: Refuse = refuse

    def __iter__(self) -> Iterator[Example]:
        for located in read_examples(self.split, self.root, self.slots, bad=self.bad):
            yield located.example


def read_examples(
    split: SplitConfig,
    root: Path,
    slots: Mapping[str, bool],
    with_target: bool = True,
    bad: Refuse = refuse,
) -> Iterator[Located]:
    """The examples of a split in the order of its files.

    Args:
        split: The files.
        root: The folder they are relative to; nothing outside it is read.
        slots: The task's input slots, and for each whether its column holds paths of files: those come
            out absolute, and are files within the root.
        with_target: Whether to read the slot ``target``. Where not, it may be there, and is not read.
        bad: Is told of each example that cannot be used, with its file and line; raises that by default.

    Raises:
        DataError: Something is missing or malformed; with file and line where it lies in one.
        StorageError: A file cannot be read.
    """
    wanted = [*slots, TARGET] if with_target else [*slots]
    pairs = ((files, row) for files, rows in _parts(split, root, wanted) for row in rows)
    for number, (files, row) in enumerate(pairs):
        try:
            located = _located(number, row, files, root, slots)
        except DataError as error:
            bad(error)
        else:
            yield located


def _located(
    number: int, row: Row | DataError, files: Mapping[str, Path], root: Path, slots: Mapping[str, bool]
) -> Located:
    if isinstance(row, DataError):
        raise row
    for slot, text in row.values.items():
        if not text.strip():
            raise DataError(f"nothing but white space for '{slot}'", files[slot], row.line)
    inputs = {
        slot: _path(row.values[slot], root, files[slot], row.line) if is_file else row.values[slot]
        for slot, is_file in slots.items()
    }
    target = row.values.get(TARGET)
    example = Example(number, inputs, target, [] if target is None else [target])
    return Located(example, files, row.line)


def split_files(split: SplitConfig, root: Path) -> list[Path]:
    """The files that a split names, each once.

    Raises:
        DataError: One of them is missing or outside the root.
    """
    names = [
        name
        for part in _listed(split)
        for name in ([part.file] if isinstance(part, TableSplit) else part.values())
    ]
    return list(dict.fromkeys(file for name in names for file in find_files(name, root)))


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal.

    Raises:
        StorageError: The file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise StorageError(f"{path}: cannot read it: {error.strerror}") from error


def _listed(split: SplitConfig) -> tuple[PartConfig, ...]:
    return split if isinstance(split, tuple) else (split,)


def _parts(
    split: SplitConfig, root: Path, wanted: list[str]
) -> Iterator[tuple[Mapping[str, Path], Iterator[Row | DataError]]]:
    """For each table, or each group of parallel files, the file of each slot and the rows."""
    for part in _listed(split):
        _check_slots(part, wanted)
        if isinstance(part, TableSplit):
            columns = {slot: part.columns[slot] for slot in wanted}
            for table in find_files(part.file, root):
                yield dict.fromkeys(wanted, table), read_rows(table, columns)
        else:
            for files in _partners({slot: part[slot] for slot in wanted}, root):
                yield files, _parallel_rows(files)


def _partners(names: Mapping[str, str], root: Path) -> Iterator[Mapping[str, Path]]:
    """The groups of files that belong together: the first that each slot's pattern matches, and so on."""
    found = {slot: find_files(name, root) for slot, name in names.items()}
    if len(set(map(len, found.values()))) > 1:
        listed = ", ".join(f"'{names[slot]}' {len(files)}" for slot, files in found.items())
        raise DataError(
            f"the patterns of a split need to match as many files each, but they match: {listed}"
        )
    for files in zip(*found.values(), strict=True):
        yield dict(zip(found, files, strict=True))


def _check_slots(split: PartConfig, wanted: list[str]) -> None:
    given = split.columns if isinstance(split, TableSplit) else split
    for slot in given:
        if slot not in (*wanted, TARGET):
            raise DataError(unknown_name("slot", slot, wanted) + " Look at the job's data.")
    for slot in wanted:
        if slot not in given:
            kind = "column" if isinstance(split, TableSplit) else "file"
            there = ", ".join(given) or "nothing"
            raise DataError(f"the data gives no {kind} for '{slot}', only for {there}")


def _parallel_rows(files: Mapping[str, Path]) -> Iterator[Row | DataError]:
    """Rows of files that have an example a line."""
    readers = {slot: scan_lines(path) for slot, path in files.items()}
    for line, texts in enumerate(zip_longest(*readers.values()), 1):
        row: dict[str, Any] = dict(zip(readers, texts, strict=True))
        if None in texts:
            raise _without_partner(files, readers, row, line)
        undecodable = [text for text in texts if isinstance(text, UndecodableError)]
        yield undecodable[0] if undecodable else Row(row, line)


def _without_partner(
    files: Mapping[str, Path],
    readers: Mapping[str, Iterator[object]],
    row: Mapping[str, object],
    line: int,
) -> DataError:
    """The error of files that differ in length, seen at ``line``, where some have no text any more."""
    counts = {
        slot: line - 1 if text is None else line + sum(1 for _ in readers[slot])
        for slot, text in row.items()
    }
    longest = max(counts, key=counts.__getitem__)
    listed = ", ".join(f"{files[slot]} has {count}" for slot, count in counts.items())
    message = f"this line has no partner: the files of a split need as many lines each, but {listed}"
    return DataError(message, files[longest], line)


def _path(name: str, root: Path, file: Path, line: int) -> str:
    try:
        return str(find_file(name, root))
    except DataError as error:
        raise DataError(str(error), file, line) from error
