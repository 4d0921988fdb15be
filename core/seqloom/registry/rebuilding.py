"""A lost or damaged database made anew of the run folders: whole in its place, or not at all."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import func, select

from seqloom.errors import BusyError, ConfigError, StorageError
from seqloom.registry import mirror
from seqloom.registry.changes import record_of
from seqloom.registry.database import LOCK_TIMEOUT_SECONDS, Database
from seqloom.registry.filling import fill
from seqloom.registry.folders import Told, told
from seqloom.registry.place import shown, sqlite_file
from seqloom.registry.planning import Plan, plan
from seqloom.registry.queue_lock import locked
from seqloom.registry.survey import damage, survey
from seqloom.registry.tables import ModelRow, RunRow

LOG: Final = ("-wal", "-shm")
"""What belongs to a database of SQLite's besides its file; a new one must never find an old one's."""


@dataclass(frozen=True)
class Rebuilt:
    """What came of it.

    Attributes:
        runs: How many were entered.
        models: How many versions, those that are known by their number alone among them.
        folders: Of the runs.
        kept: Where the damaged database is now, None where there was none.
        remarks: What could not be restored, and why; a line each.
    """

    runs: int
    models: int
    folders: tuple[Path, ...]
    kept: Path | None
    remarks: tuple[str, ...]


def rebuild(url: str, runs: Sequence[Path]) -> Rebuilt:
    """Makes a registry of what run folders tell.

    A damaged file of SQLite's is kept under another name; a registry in which something is stays as it is.
    The new one is made aside, and takes its place at once; others wait to write meanwhile.

    Args:
        url: Where it is to be.
        runs: Folders of run folders.

    Raises:
        ConfigError: The URL makes no sense.
        StorageError: There is a registry in use, or another program's database; or one of the folders or
            the registry's place cannot be read or written.
        BusyError: Others write there for too long.
    """
    file = sqlite_file(url)
    with ExitStack() as held:
        if file is not None:
            held.enter_context(_lock(file))
        is_damaged = file is not None and file.exists() and _why_damaged(file) is not None
        if not is_damaged:
            _check_empty(url)
        found = [each for folder in runs for each in told(folder)]
        planned = plan(found)
        kept = None
        if file is None:
            _fill(url, planned)
        else:
            kept = _put(file, planned, is_damaged=is_damaged)
    _write_records(url, [each for each in found if each.is_older])
    folders = tuple(Path(record.run.folder) for record in planned.records)
    return Rebuilt(len(planned.records), len(planned.models), folders, kept, tuple(planned.remarks))


def _check_empty(url: str) -> None:
    seen = survey(url)
    if seen.url == "sqlite://":
        raise ConfigError("a registry in memory ends with the command; name a file with --to")
    if seen.state == "foreign":
        raise StorageError(f"{seen.url} is another program's database; name another place with --to")
    if seen.state not in {"absent", "empty"} and any(seen.counts.values()):
        raise StorageError(
            f"{seen.url} is not damaged and has something in it (runs {seen.counts['runs']:,}, versions "
            f"{seen.counts['models']:,}), so it stays as it is; look at it with seqloom registry check, or "
            "build another beside it with --to URL"
        )


def _fill(url: str, planned: Plan) -> None:
    with closing(Database(url)) as database, database.writing() as session:
        for row in (RunRow, ModelRow):  # somebody may have been faster
            if session.scalar(select(func.count()).select_from(row)):
                raise StorageError(f"{shown(url)} has been written to meanwhile; look at what is there")
        fill(session, planned)


def _write_records(url: str, older: Sequence[Told]) -> None:
    """Gives folders the record that they lack, so that what was decided of them stays as it is."""
    if not older:
        return
    with closing(Database(url)) as database, database.reading() as session:
        for each in older:
            row = None if each.record is None else session.get(RunRow, each.record.run.id)
            if row is not None and row.folder == str(each.folder):
                with suppress(OSError):  # a check finds out
                    mirror.write(each.folder, record_of(session, row))


# A file of SQLite's ------------------------------------------------------------------------------------


def _why_damaged(file: Path) -> str | None:
    try:
        return damage(file)
    except (sqlite3.Error, OSError) as error:
        raise StorageError(f"{file} cannot be looked at ({error}); name another with --to") from error


@contextmanager
def _lock(file: Path) -> Iterator[None]:
    """Keeps others from writing to a registry, or from making one there."""
    waiting = locked(file.with_name(file.name + ".lock"), LOCK_TIMEOUT_SECONDS)
    try:
        waiting.__enter__()
    except TimeoutError as error:
        raise BusyError(
            f"{file} has been locked by another process for more than {LOCK_TIMEOUT_SECONDS:g} seconds; "
            "try again"
        ) from error
    except OSError as error:
        raise StorageError(
            f"{file} cannot be locked ({error.strerror}); make its folder writable"
        ) from error
    try:
        yield
    finally:
        waiting.__exit__(None, None, None)


def _put(file: Path, planned: Plan, *, is_damaged: bool) -> Path | None:
    """Makes the database aside, and puts it where it belongs."""
    aside = file.with_name(f".{file.name}.new")
    belongings = [aside.with_name(aside.name + end) for end in ("", *LOG, ".lock")]
    try:
        for path in belongings:  # of a process that was killed
            path.unlink(missing_ok=True)
        _fill(f"sqlite:///{aside}", planned)
        for path in belongings[1:]:
            path.unlink(missing_ok=True)
        flush(aside)
        kept = _keep(file) if is_damaged else None
        _put_log_away(file, kept)
        aside.replace(file)
        flush(file.parent)
    except OSError as error:
        raise StorageError(
            f"{file} cannot be made ({error.strerror}); make room there, and the folder writable"
        ) from error
    finally:
        for path in belongings:
            with suppress(OSError):
                path.unlink(missing_ok=True)
    return kept


def _keep(file: Path) -> Path:
    """Gives a damaged database a second name."""
    number = next(number for number in itertools.count(1) if _is_free(file, number))
    kept = _kept_name(file, number)
    if not kept.exists():
        try:
            os.link(file, kept)
        except OSError as error:
            if error.errno not in {errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK}:
                raise
            shutil.copy2(file, kept)  # a disk that knows no second names
    return kept


def _put_log_away(file: Path, kept: Path | None) -> None:
    """Where a damaged database has a log, it is kept with it; else nothing is in it."""
    for end in LOG:
        log = file.with_name(file.name + end)
        if kept is None:
            log.unlink(missing_ok=True)
        elif log.exists():
            log.replace(kept.with_name(kept.name + end))


def _is_free(file: Path, number: int) -> bool:
    """Whether a name is free, or the file has it already: a rebuild was killed that had given it."""
    kept = _kept_name(file, number)
    return not kept.exists() or kept.samefile(file)


def _kept_name(file: Path, number: int) -> Path:
    return file.with_name(f"{file.name}.damaged" + ("" if number == 1 else f".{number}"))


def flush(path: Path) -> None:
    """Waits until a file's bytes, or a folder's names, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
