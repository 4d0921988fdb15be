"""Which files make a split, and which of them belong together?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
        files: The file of each slot.
        columns: The table's column of each slot; None for files that have an example a line.
    """

    part: int
    files: Mapping[str, Path]
    columns: Columns | None

    def read(self) -> list[Path]:
        """The files as they are read: a table once."""
        files = list(self.files.values())
        return files if self.columns is None else files[:1]


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
            columns = {slot: part.columns[slot] for slot in wanted}
            for table in find_files(part.file, root):
                yield Group(number, dict.fromkeys(wanted, table), columns)
        else:
            for files in _partners({slot: part.files[slot] for slot in wanted}, root):
                yield Group(number, files, None)


def split_files(split: SplitConfig, root: Path) -> list[Path]:
    """The files that a split names, each once.

    Raises:
        ConfigError: One of them takes a package that is not installed.
        DataError: One of them is missing or outside the root.
    """
    names = [
        name
        for part in parts_of(split)
        for name in ([part.file] if isinstance(part, TableSplit) else part.files.values())
    ]
    files = list(dict.fromkeys(file for name in names for file in find_files(name, root)))
    for file in files:
        if file.suffix == SUFFIX:
            check_parquet(file)
    return files


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


def _check_slots(part: TableSplit | ParallelSplit, wanted: list[str]) -> None:
    for slot in part.slots:
        if slot not in (*wanted, TARGET):
            raise DataError(unknown_name("slot", slot, wanted) + " Look at the job's data.")
    for slot in wanted:
        if slot not in part.slots:
            kind = "column" if isinstance(part, TableSplit) else "file"
            there = ", ".join(part.slots) or "nothing"
            raise DataError(f"the data gives no {kind} for '{slot}', only for {there}")
