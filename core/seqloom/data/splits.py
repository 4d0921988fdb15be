"""Which files make a split, and which of them belong together?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from seqloom.config import ParallelSplit, SplitConfig, TableSplit, parts_of
from seqloom.data.files import find_files
from seqloom.data.parquet import SUFFIX, check_parquet
from seqloom.data.tables import Columns
from seqloom.errors import DataError, unknown_name

TARGET = "target"
"""The slot of every task's target."""


class Group(NamedTuple):
    """Files that are read together: a table, or a file for each slot.

    Attributes:
        part: Which part of the split names them, from 0.
        files: The file of each slot; of several, the first.
        texts: All files of each slot that have an example a line; none for a table.
        columns: The table's columns of each slot; None for files that have an example a line.
        targets: How many targets of an example are taken; None for all.
    """

    part: int
    files: Mapping[str, Path]
    texts: Mapping[str, Sequence[Path]]
    columns: Columns | None
    targets: int | None

    def read(self) -> list[Path]:
        """The files as they are read: a table once."""
        if self.columns is not None:
            return list(self.files.values())[:1]
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
            for table in find_files(part.file, root):
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
    names = [
        name
        for part in parts_of(split)
        for name in ([part.file] if isinstance(part, TableSplit) else chain(*part.slots.values()))
    ]
    files = list(dict.fromkeys(file for name in names for file in find_files(name, root)))
    for file in files:
        if file.suffix == SUFFIX:
            check_parquet(file)
    return files


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
