"""The registry in a file of SQLite's, or in memory.

SQLite takes one writer at a time. Left to itself, a waiting writer sleeps and retries at growing intervals
and may starve; so writers queue at a file lock beside the database, and its holder alone begins to write.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, event

from seqloom.errors import SeqloomError, StorageError
from seqloom.registry.backend import ELSEWHERE, Backend, engine_of
from seqloom.registry.backup import keep_copy
from seqloom.registry.place import sqlite_file
from seqloom.registry.queue_lock import locked

PARTS: Final = ("", "-wal", "-shm")
"""What the names of its files end in: the database, its log, the index of that."""

MADE_ANEW: Final = "seqloom registry rebuild makes a new one of the run folders"
WHAT_TO_DO: Final = {  # by the beginning of SQLite's own name for the failure
    "SQLITE_NOTADB": f"is not an SQLite database; move it away, {ELSEWHERE}; {MADE_ANEW}",
    "SQLITE_CORRUPT": "is damaged; put a copy back, without the files of its name in -wal and -shm, "
    f"{ELSEWHERE}; {MADE_ANEW}",
    "SQLITE_READONLY": f"cannot be written; make it and its folder writable, {ELSEWHERE}",
    "SQLITE_CANTOPEN": f"cannot be opened; make it a file in a folder that you may write to, {ELSEWHERE}",
    "SQLITE_FULL": f"cannot grow as its disk is full; make room, {ELSEWHERE}",
    "SQLITE_IOERR": f"cannot be read or written; look at its disk, {ELSEWHERE}",
}


class SQLite(Backend):
    """SQLite.

    Args:
        url: Where it is.
        lock_timeout_seconds: How long a writer waits for the others.
    """

    def __init__(self, url: URL, lock_timeout_seconds: float) -> None:
        file = self._file = sqlite_file(str(url))
        super().__init__(str(file or url), lock_timeout_seconds)
        self._lock_file = file and file.with_name(file.name + ".lock")
        self.reader = engine_of(url, connect_args={"timeout": lock_timeout_seconds})
        self.writer = self.reader.execution_options(begin="BEGIN IMMEDIATE")
        event.listen(self.reader, "connect", _configure)
        event.listen(self.reader, "begin", _begin)
        self._inodes: tuple[int | None, ...] = ()

    @contextmanager
    def turn(self) -> Iterator[None]:
        if self._lock_file is None:
            yield
            return
        waiting = locked(self._lock_file, self.lock_timeout_seconds)
        try:
            waiting.__enter__()
        except TimeoutError as error:
            raise self.busy() from error
        except OSError as error:
            raise StorageError(
                f"{self.place} cannot be locked ({self._lock_file.name}: {error.strerror}); "
                f"make its folder writable, {ELSEWHERE}"
            ) from error
        try:
            yield
        finally:
            waiting.__exit__(None, None, None)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """SQLite would go on writing into a file that was deleted or replaced, and make a new one empty."""
        found = self._found()
        if found != self._inodes:
            self.reader.dispose()
        if self._file is not None and found[0] is None:
            raise StorageError(f"{self.place} is not there any more; put it back, {ELSEWHERE}")
        yield
        self._inodes = found[:1] + self._found()[1:]  # a first transaction makes the other files

    def rest(self) -> None:
        if self._file is not None:
            self.reader.dispose()

    def keep(self, schema: str) -> None:
        if self._file is not None:
            keep_copy(self._file, schema)

    def settle(self) -> None:
        # All under the lock, reading too: to turn on WAL, SQLite wants nobody else to look.
        with self.reader.execution_options(begin=None).connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        self._inodes = self._found()

    def explain(self, error: BaseException | None) -> SeqloomError:
        name = getattr(error, "sqlite_errorname", "") if isinstance(error, sqlite3.Error) else ""
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return self.busy()
        for start, advice in WHAT_TO_DO.items():
            if name.startswith(start):
                return StorageError(f"{self.place} {advice}")
        return StorageError(f"{self.place}: {error}")

    def _found(self) -> tuple[int | None, ...]:
        """What tells each of its files from others of that name; None for one that is not there."""
        if self._file is None:
            return ()
        return tuple(_inode(self._file.with_name(self._file.name + part)) for part in PARTS)


def _inode(file: Path) -> int | None:
    try:
        return file.stat().st_ino
    except OSError:
        return None


def _configure(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver would begin transactions on its own, and too late
    connection.execute("PRAGMA synchronous=FULL")  # what was registered survives a power cut
    connection.execute("PRAGMA foreign_keys=ON")


def _begin(connection: Connection) -> None:
    # A transaction that reads first and writes later may learn that it is too late: writers say so.
    statement = connection.get_execution_options().get("begin", "BEGIN")
    if statement is not None:
        connection.exec_driver_sql(statement)
