"""Which files does a job read, and what is in them?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from seqloom.config import SplitConfig, TableSplit, parts_of
from seqloom.data.counting import Content, content_of
from seqloom.data.splits import split_files
from seqloom.jobfile import Job
from seqloom.registry.records import DataFile
from seqloom.training import split_of


def data_files(job: Job, splits: Sequence[str]) -> list[DataFile]:
    """The files of some splits of a job; one that several of them name is read once.

    Raises:
        ConfigError: The job has no such split.
        DataError: A file is missing.
        StorageError: One cannot be read.
    """
    known: dict[tuple[Path, bool], Content] = {}
    found = []
    for name in splits:
        split = split_of(job, name)
        with_header = _with_header(split, job.root)
        for file in split_files(split, job.root):
            key = (file, file in with_header)
            if key not in known:
                known[key] = content_of(file, header=key[1])
            found.append(DataFile(path=str(file), split=name, **known[key]._asdict()))
    return found


def input_file(file: Path) -> list[DataFile]:
    """What is decoded; nothing of a pipe, which can be read once."""
    return (
        [DataFile(path=str(file.absolute()), split="input", **content_of(file)._asdict())]
        if file.is_file()
        else []
    )


def hashes_of(data: Sequence[DataFile]) -> Mapping[str, str]:
    """The sha256 of each file by its path."""
    return {file.path: file.sha256 for file in data}


def _with_header(split: SplitConfig, root: Path) -> set[Path]:
    """The files whose first row names their columns."""
    tables = [
        part
        for part in parts_of(split)
        if isinstance(part, TableSplit)
        and all(isinstance(column, str) for columns in part.slots.values() for column in columns)
    ]
    files = {file for table in tables for file in split_files(table, root)}
    return {file for file in files if file.suffix in (".tsv", ".csv")}
