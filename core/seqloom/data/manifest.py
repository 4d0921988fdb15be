"""Which examples does a split have? Parallel text and tables to :class:`Example`, one at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from seqloom.config import SplitConfig
from seqloom.data.files import Meter, UndecodableError, find_file, scan_lines
from seqloom.data.parquet import SUFFIX, parquet_rows
from seqloom.data.skipping import Refuse, refuse
from seqloom.data.splits import TARGET, Group, groups
from seqloom.data.tables import Row, read_rows
from seqloom.errors import DataError, StorageError
from seqloom.progress import Watch, unwatched
from seqloom.task import Example

TELL_EVERY = 1000
"""Examples between two words about how far a pass over the files has come."""


class Located(NamedTuple):
    """An example, and where it was found.

    Attributes:
        example: The example.
        files: The file of each slot; none for examples that come from no file.
        line: The line, counted from 1, at which it begins in each of them.
        part: Which part of the split names the files, from 0.
    """

    example: Example
    files: Mapping[str, Path] = MappingProxyType({})
    line: int | None = None
    part: int = 0


@dataclass(frozen=True)
class Examples:
    """A split's examples, read from its files each time one goes through them.

    Attributes:
        split: The files.
        root: The folder they are relative to.
        slots: The task's input slots, and for each whether its column holds paths of files.
        bad: Is told of those that cannot be used.
        watch: Watches each time.
    """

    split: SplitConfig
    root: Path
    slots: Mapping[str, bool]
    bad: Refuse = refuse
    watch: Watch = unwatched

    def __iter__(self) -> Iterator[Example]:
        for located in self.located(self.bad):
            yield located.example

    def located(self, bad: Refuse) -> Iterator[Located]:
        """The examples with their places; ``bad`` is told of those that cannot be used."""
        meter = Meter(
            file for group in groups(self.split, self.root, [*self.slots, TARGET]) for file in group.read()
        )
        examples = read_examples(self.split, self.root, self.slots, bad=bad, meter=meter)
        with self.watch() as tell:
            for count, located in enumerate(examples, 1):
                yield located
                if count % TELL_EVERY == 0:
                    tell(count, meter.share)


def read_examples(
    split: SplitConfig,
    root: Path,
    slots: Mapping[str, bool],
    *,
    with_target: bool = True,
    bad: Refuse = refuse,
    meter: Meter | None = None,
) -> Iterator[Located]:
    """The examples of a split in the order of its files.

    Args:
        split: The files.
        root: The folder they are relative to; nothing outside it is read.
        slots: The task's input slots, and for each whether its column holds paths of files: those come
            out absolute, and are files within the root.
        with_target: Whether to read the slot ``target``. Where not, it may be there, and is not read.
        bad: Is told of each example that cannot be used, with its file and line; raises that by default.
        meter: Counts the bytes that are read.

    Raises:
        DataError: Something is missing or malformed; with file and line where it lies in one.
        StorageError: A file cannot be read.
    """
    wanted = [*slots, TARGET] if with_target else [*slots]
    rows = ((group, row) for group in groups(split, root, wanted) for row in _rows(group, meter or Meter()))
    for number, (group, row) in enumerate(rows):
        try:
            located = _located(number, row, group, root, slots)
        except DataError as error:
            bad(error)
        else:
            yield located


def _rows(group: Group, meter: Meter) -> Iterator[Row | DataError]:
    if group.columns is None:
        return _parallel_rows(group.files, meter)
    (table,) = group.read()
    read = parquet_rows if table.suffix == SUFFIX else read_rows
    return read(table, group.columns, meter)


def _located(
    number: int, row: Row | DataError, group: Group, root: Path, slots: Mapping[str, bool]
) -> Located:
    if isinstance(row, DataError):
        raise row
    files = group.files
    for slot, text in row.values.items():
        if not text.strip():
            raise DataError(f"nothing but white space for '{slot}'", files[slot], row.line)
    inputs = {
        slot: _path(row.values[slot], root, files[slot], row.line) if is_file else row.values[slot]
        for slot, is_file in slots.items()
    }
    target = row.values.get(TARGET)
    example = Example(number, inputs, target, [] if target is None else [target])
    return Located(example, files, row.line, group.part)


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


def _parallel_rows(files: Mapping[str, Path], meter: Meter) -> Iterator[Row | DataError]:
    """Rows of files that have an example a line."""
    readers = {slot: scan_lines(path, meter) for slot, path in files.items()}
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
