"""A copy of a registry in SQLite, whole at any moment, while others read and write it."""

from __future__ import annotations

import filecmp
import itertools
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from seqloom.errors import StorageError


def copy_database(source: Path, target: Path) -> None:
    """Copies a database as it is now; the copy is on the disk when this returns, or not there.

    Args:
        source: The database.
        target: Where the copy shall be; a file that is there is replaced.

    Raises:
        StorageError: The database cannot be read or the copy not be written.
    """
    with _copied(source, target) as part:
        part.replace(target)


def keep_copy(file: Path, schema: str) -> Path:
    """Copies a database of an older schema beside itself; a copy that was kept before stays.

    Args:
        file: The database.
        schema: Its schema, which names the copy: ``registry.db.0003.bak``, or with a number ``….2.bak``.

    Returns:
        Where the copy is.

    Raises:
        StorageError: There is no room for it, or nothing may be written there.
    """
    numbered = (file.with_name(f"{file.name}.{schema}.{number}.bak") for number in itertools.count(2))
    first = file.with_name(f"{file.name}.{schema}.bak")
    with _copied(file, first) as part:
        for target in itertools.chain([first], numbered):
            if not target.exists():
                part.replace(target)
                break
            if filecmp.cmp(part, target, shallow=False):  # an upgrade that was cut short had made it
                break
    return target


@contextmanager
def _copied(source: Path, target: Path) -> Iterator[Path]:
    """A whole copy, aside, for its place to be chosen; what is left aside is gone afterwards."""
    part = target.with_name(f".{target.name}.part")
    try:
        try:
            part.unlink(missing_ok=True)  # of a process that was killed
            there = sqlite3.connect(f"{source.as_uri()}?mode=rw", uri=True)
            with closing(there), closing(sqlite3.connect(part)) as copy:
                there.backup(copy)
                copy.execute("PRAGMA journal_mode=DELETE")  # all of it in one file
            shutil.copymode(source, part)
            _flush(part)
            yield part
            _flush(target.parent)
        finally:
            part.unlink(missing_ok=True)
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise StorageError(
            f"{source} cannot be copied to {target} ({reason}); make room there, and the folder writable"
        ) from error


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
