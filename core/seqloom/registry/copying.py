"""A backup of a registry: one file of SQLite's, whatever the registry is in, which is a registry itself."""

from __future__ import annotations

from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

from sqlalchemy import insert, inspect, select
from sqlalchemy.orm import Session

from seqloom.errors import StorageError, UsageError
from seqloom.registry.backup import copy_database
from seqloom.registry.columns import Base
from seqloom.registry.database import Database
from seqloom.registry.place import shown, sqlite_file
from seqloom.registry.rebuilding import LOG, flush
from seqloom.registry.survey import damage, survey

AT_ONCE: Final = 1000
"""Rows that are on their way from one database to the other."""


def back_up(url: str, target: Path) -> int:
    """Writes a registry as it is now to a new file, while others read and write it.

    SQLite's is copied as it is; another kind's is read in one state, and written by the newest schema.

    Args:
        url: Of the registry.
        target: Where the backup is to be.

    Returns:
        Its size in bytes.

    Raises:
        UsageError: There is something at the target.
        StorageError: There is no registry, it cannot be read or is damaged, or the target not be written.
        BusyError: The registry is locked.
    """
    if target.exists() or target.is_symlink():
        raise UsageError(f"{target} is there already, and is left as it is; name another file")
    file = sqlite_file(url)
    state = survey(url).state
    if state in {"absent", "empty", "foreign"}:
        raise StorageError(f"{shown(url)} is no registry; there is nothing to back up")
    aside = target.absolute().with_name(f".{target.name}.new")
    belongings = [aside.with_name(aside.name + end) for end in ("", *LOG, ".lock")]
    try:
        for path in belongings:  # of a process that was killed
            path.unlink(missing_ok=True)
        if file is None:
            _export(url, aside)
        else:
            copy_database(file, aside)
        if (why := damage(aside)) is not None:
            raise StorageError(f"{shown(url)} is damaged ({why}); seqloom registry rebuild makes it anew")
        for path in belongings[1:]:
            path.unlink(missing_ok=True)
        flush(aside)
        size = aside.stat().st_size
        aside.replace(target)
        flush(target.absolute().parent)
    except OSError as error:
        raise StorageError(f"{target}: cannot write it: {error.strerror}") from error
    finally:
        for path in belongings:
            with suppress(OSError):
                path.unlink(missing_ok=True)
    return size


def _export(url: str, target: Path) -> None:
    """Copies all rows into a new file of SQLite's."""
    with (
        closing(Database(url)) as source,
        closing(Database(f"sqlite:///{target}")) as copy,
        source.reading() as reader,
        copy.writing() as writer,
    ):
        for each in Base.metadata.sorted_tables:
            _copy_rows(reader, writer, each)


def _copy_rows(reader: Session, writer: Session, rows: Any) -> None:
    keys = list(inspect(rows).primary_key)
    found = reader.execute(select(rows).order_by(*keys).execution_options(yield_per=AT_ONCE))
    for some in found.mappings().partitions():
        writer.execute(insert(rows), [dict(one) for one in some])
