"""Which files make a split, and which of them belong together?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from seqloom.config import ParallelSplit, SplitConfig, TableSplit, parts_of
from seqloom.data.files import find_file, find_files
from seqloom.data.kaldi import is_listing, kaldi_files, listing_of
from seqloom.data.parquet import SUFFIX, check_parquet
from seqloom.data.tables import Columns
from seqloom.errors import DataError, unknown_name

TARGET = "target"
"""The slot of every task's target."""


TAG = "tag "
"""Before a tag's name, where it stands among slots; no slot has a blank in its name."""


class Slot(NamedTuple):
    """What an input slot takes.

    Attributes:
        suffixes: What its files end in; none where it takes texts.
        fragment: Which part of a file may be meant, as ``t`` in ``talk.flac#t=12.5,17``; empty where it is
            the whole file.
        medium: What its files are to people: ``image`` or ``audio``; empty for anything else.
    """

    suffixes: Sequence[str] = ()
    fragment: str = ""
    medium: str = ""

    @property
    def files(self) -> bool:
        """Whether it takes files."""
        return bool(self.suffixes)


def fragment_of(name: str, slot: Slot) -> str:
    """What a file's name ends in that says which part is meant, as ``#t=12.5,17``; often nothing."""
    mark = f"#{slot.fragment}="
    return mark + name.rpartition(mark)[2] if slot.fragment and mark in name else ""


class Group(NamedTuple):
    """Files that are read together: a table, or a file for each slot.

    Attributes:
        part: Which part of the split names them, from 0.
        files: The file of each slot; of several, the first.
        texts: All files of each slot that have an example a line; none for a table.
        columns: The table's columns of each slot and each tag; None for files with an example a line.
        targets: How many targets of an example are taken; None for all.
    """

    part: int
    files: Mapping[str, Path]
    texts: Mapping[str, Sequence[Path]]
    columns: Columns | None
    targets: int | None

    @property
    def table(self) -> Path:
        """The table that all slots have."""
        return next(iter(self.files.values()))

    def read(self) -> list[Path]:
        """The files as they are read: a table once."""
        if self.columns is not None:
            return kaldi_files(self.table) if is_listing(self.table) else [self.table]
        return [file for files in self.texts.values() for file in files]


def groups(split: SplitConfig, root: Path, wanted: list[str]) -> Iterator[Group]:
    """The files of a split in order.

    Args:
        split: What a job says.
        root: The folder that files are relative to; nothing outside it is read.
        wanted: The slots to read.

    Raises:
        DataError: A slot or a file is missing, or patterns do not match.
    """
    for number, part in enumerate(parts_of(split)):
        _check_slots(part, wanted)
        if isinstance(part, TableSplit):
            columns = {slot: part.slots[slot] for slot in wanted}
            columns |= {TAG + name: (column,) for name, column in part.tags.items()}
            for table in _tables(part.file, root):
                yield Group(number, dict.fromkeys(wanted, table), {}, columns, part.targets)
        else:
            for texts in _partners({slot: part.slots[slot] for slot in wanted}, root):
                files = {slot: first for slot, (first, *_) in texts.items()}
                yield Group(number, files, texts, None, part.targets)


def split_files(split: SplitConfig, root: Path) -> list[Path]:
    """The files that a split names, each once.

    Raises:
        ConfigError: One of them takes a package that is not installed.
        DataError: One of them is missing or outside the root.
    """
    found: list[Path] = []
    for part in parts_of(split):
        if isinstance(part, TableSplit):
            for table in _tables(part.file, root):
                found += kaldi_files(table) if is_listing(table) else [table]
        else:
            found += (file for name in chain(*part.slots.values()) for file in find_files(name, root))
    files = list(dict.fromkeys(found))
    for file in files:
        if file.suffix == SUFFIX:
            check_parquet(file)
    return files


def _tables(name: str, root: Path) -> list[Path]:
    """The tables that a name or a pattern stands for; of a folder of Kaldi's, the file that lists it."""
    listing = find_file(f"{name}/{folder.name}", root) if (folder := listing_of(root / name)) else None
    return find_files(name, root) if listing is None else [listing]


def _partners(names: Mapping[str, tuple[str, ...]], root: Path) -> Iterator[Mapping[str, Sequence[Path]]]:
    """The groups of files that belong together: the first that each pattern matches, and so on."""
    found = {name: find_files(name, root) for several in names.values() for name in several}
    counts = {name: len(files) for name, files in found.items()}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"'{name}' {count}" for name, count in counts.items())
        raise DataError(
            f"the patterns of a split need to match as many files each, but they match: {listed}"
        )
    for number in range(next(iter(counts.values()), 0)):
        yield {slot: [found[name][number] for name in several] for slot, several in names.items()}


def _check_slots(part: TableSplit | ParallelSplit, wanted: list[str]) -> None:
    for slot in part.slots:
        if slot not in (*wanted, TARGET):
            raise DataError(unknown_name("slot", slot, wanted) + " Look at the job's data.")
    for slot in wanted:
        if slot not in part.slots:
            kind = "column" if isinstance(part, TableSplit) else "file"
            there = ", ".join(part.slots) or "nothing"
            raise DataError(f"the data gives no {kind} for '{slot}', only for {there}")
