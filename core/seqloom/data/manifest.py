"""Which examples does a split have? Parallel text and tables to :class:`Example`, one at a time."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain, count, islice, zip_longest
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from seqloom.config import SplitConfig
from seqloom.data.blobs import ARCHIVE
from seqloom.data.files import Finder, Meter, UndecodableError, scan_lines
from seqloom.data.kaldi import is_listing, kaldi_rows
from seqloom.data.parquet import SUFFIX, parquet_rows
from seqloom.data.shards import shard_rows
from seqloom.data.skipping import Refuse, refuse
from seqloom.data.splits import TAG, TARGET, Group, Slot, fragment_of, groups
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
        slots: The task's input slots.
        bad: Is told of those that cannot be used.
        watch: Watches each time.
        apart: Whether each of several targets makes an example of its own.
    """

    split: SplitConfig
    root: Path
    slots: Mapping[str, Slot]
    bad: Refuse = refuse
    watch: Watch = unwatched
    apart: bool = False

    def __iter__(self) -> Iterator[Example]:
        for located in self.located(self.bad):
            yield located.example

    def located(self, bad: Refuse) -> Iterator[Located]:
        """The examples with their places; ``bad`` is told of those that cannot be used."""
        meter = Meter(
            file for group in groups(self.split, self.root, [*self.slots, TARGET]) for file in group.read()
        )
        examples = read_examples(self.split, self.root, self.slots, bad=bad, meter=meter, apart=self.apart)
        with self.watch() as tell:
            for count, located in enumerate(examples, 1):
                yield located
                if count % TELL_EVERY == 0:
                    tell(count, meter.share)


def read_examples(
    split: SplitConfig,
    root: Path,
    slots: Mapping[str, Slot],
    *,
    with_target: bool = True,
    bad: Refuse = refuse,
    meter: Meter | None = None,
    apart: bool = False,
) -> Iterator[Located]:
    """The examples of a split in the order of its files.

    One that has several targets is one example: the first is its target, and all are its references.
    Several texts of an input, as the sentences of a document, are the lines of one.

    Args:
        split: The files.
        root: The folder they are relative to; nothing outside it is read.
        slots: The task's input slots. Paths of files come out absolute, and are files within the root.
        with_target: Whether to read the slot ``target``. Where not, it may be there, and is not read.
        bad: Is told of each example that cannot be used, with its file and line; raises that by default.
        meter: Counts the bytes that are read.
        apart: Whether each of several targets makes an example of its own instead, one after another.

    Raises:
        DataError: Something is missing or malformed; with file and line where it lies in one.
        StorageError: A file cannot be read.
    """
    wanted = [*slots, TARGET] if with_target else [*slots]
    ids, finder = count(), Finder(root)
    for group in groups(split, root, wanted):
        for row in _rows(group, slots, meter or Meter()):
            try:
                located = _located(next(ids), row, group, finder, slots)
            except DataError as error:
                bad(error)
                continue
            if apart and len(located.example.references) > 1:
                yield from _apart(located, ids)
            else:
                yield located


def _rows(group: Group, slots: Mapping[str, Slot], meter: Meter) -> Iterator[Row | DataError]:
    columns = group.columns
    if columns is None:
        return _parallel_rows(group.texts, meter)
    table = group.table
    numbers = {key for key in columns if key.startswith(TAG) or (key in slots and slots[key].fragment)}
    if table.suffix == ARCHIVE:
        return shard_rows(table, columns, {slot for slot in slots if slots[slot].files}, meter, numbers)
    if is_listing(table):
        return kaldi_rows(table, columns, meter)
    read = parquet_rows if table.suffix == SUFFIX else read_rows
    return read(table, columns, meter, numbers)


def _located(
    number: int, row: Row | DataError, group: Group, finder: Finder, slots: Mapping[str, Slot]
) -> Located:
    if isinstance(row, DataError):
        raise row
    inputs: dict[str, str] = {}
    targets: list[str] = []
    tags: dict[str, str] = {}
    for slot, texts in row.texts.items():
        file = group.files.get(slot, next(iter(group.files.values())))
        try:
            if slot == TARGET:
                targets = _written(texts, slot)[: group.targets]
            elif slot.startswith(TAG):
                tags[slot.removeprefix(TAG)] = _only(texts, slot)
            elif slots[slot].files:  # of an archive's member, the whole path is there
                inputs[slot] = _named(texts, slot, slots[slot], None if file.suffix == ARCHIVE else finder)
            else:
                inputs[slot] = "\n".join(_written(texts, slot))
        except DataError as error:
            raise DataError(str(error), file, row.line) from error
    example = Example(number, inputs, targets[0] if targets else None, targets, tags)
    return Located(example, group.files, row.line, group.part)


def _named(texts: Sequence[str], slot: str, kind: Slot, finder: Finder | None) -> str:
    """A file's path, looked up within the root, and the part of it that is meant.

    Args:
        texts: The path, perhaps with a fragment; or the path and the fragment's numbers.
        slot: Whose.
        kind: Of the slot.
        finder: Looks it up; None for a path that is whole.
    """
    name = _written(texts[:1], slot)[0]
    numbers = [number.strip() for number in texts[1:]]
    fragment = fragment_of(name, kind)
    name = name.removesuffix(fragment)
    if numbers and not kind.fragment:
        raise DataError(
            f"{len(texts)} columns for '{slot}', whose files have no parts to tell of; name one"
        )
    if wrong := [number for number in numbers if not _is_number(number)]:
        raise DataError(f"'{wrong[0]}' is no number; '{slot}' is a path, and then numbers")
    if any(numbers):
        fragment = f"#{kind.fragment}={','.join(map(_written_out, numbers))}"
    return (name if finder is None else str(finder.find(name))) + fragment


def _is_number(text: str) -> bool:
    """Whether it is a finite number of at least 0, or nothing."""
    try:
        return not text or 0 <= float(text) < math.inf
    except ValueError:
        return False


def _written_out(number: str) -> str:
    """A number without an exponent, as fragments have them: ``0.00001`` for ``1e-05``."""
    return f"{Decimal(repr(abs(float(number)))):f}".removesuffix(".0") if number else ""


def _apart(located: Located, ids: Iterator[int]) -> Iterator[Located]:
    """An example for each reference of one."""
    example = located.example
    for reference, number in zip(example.references, chain([example.id], ids), strict=False):
        one = example._replace(id=number, target=reference, references=[reference])
        yield located._replace(example=one)


def _only(texts: Sequence[str], slot: str) -> str:
    """The text of a tag, which has one."""
    if len(texts) != 1:
        raise DataError(f"{len(texts)} texts for '{slot}', which has one")
    return _written(texts, slot)[0]


def _written(texts: Sequence[str], slot: str) -> list[str]:
    """The texts of a slot that are there; of several, some may be left empty."""
    written = [text for text in texts if text.strip()]
    if not written:
        raise DataError(f"nothing but white space for '{slot}'")
    return written


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


def _parallel_rows(files: Mapping[str, Sequence[Path]], meter: Meter) -> Iterator[Row | DataError]:
    """Rows of files that have an example a line."""
    paths = list(chain(*files.values()))
    readers = [scan_lines(path, meter) for path in paths]
    for line, texts in enumerate(zip_longest(*readers), 1):
        if None in texts:
            raise _without_partner(paths, readers, texts, line)
        undecodable = [text for text in texts if isinstance(text, UndecodableError)]
        if undecodable:
            yield undecodable[0]
            continue
        rest = map(str, texts)
        yield Row({slot: list(islice(rest, len(several))) for slot, several in files.items()}, line)


def _without_partner(
    paths: Sequence[Path], readers: Sequence[Iterator[object]], texts: Sequence[object], line: int
) -> DataError:
    """The error of files that differ in length, seen at ``line``, where some have no text any more."""
    counts = [
        line - 1 if text is None else line + sum(1 for _ in reader)
        for text, reader in zip(texts, readers, strict=True)
    ]
    longest = paths[counts.index(max(counts))]
    listed = ", ".join(f"{path} has {count}" for path, count in zip(paths, counts, strict=True))
    message = f"this line has no partner: the files of a split need as many lines each, but {listed}"
    return DataError(message, longest, line)
