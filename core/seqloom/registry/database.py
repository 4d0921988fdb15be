"""How the registry's database is opened, locked and upgraded, and what its failures are called.

SQLite takes one writer at a time. Left to itself, a waiting writer sleeps and retries at growing intervals
and may starve; so writers queue at a file lock beside the database, and its holder alone begins to write.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout
from sqlalchemy import URL, Connection, column, create_engine, event, inspect, make_url, select, table
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.orm import Session

from seqloom.errors import BusyError, ConfigError, SeqloomError, StorageError
from seqloom.registry.tables import SCHEMA, SCHEMA_TABLE

LOCK_TIMEOUT_SECONDS: Final = 60.0
LOCK_POLL_SECONDS: Final = 0.005

ELSEWHERE = "or name another registry with --registry or SEQLOOM_REGISTRY"
PARTS: Final = ("", "-wal", "-shm")
"""What the names of SQLite's files end in: the database, its log, the index of that."""
WHAT_TO_DO: Final = {  # by the beginning of SQLite's own name for the failure
    "SQLITE_NOTADB": f"is not an SQLite database; move it away, {ELSEWHERE}",
    "SQLITE_CORRUPT": "is damaged; put a copy back, without the files of its name in -wal and -shm "
    f"(or see `sqlite3 FILE .recover`), {ELSEWHERE}",
    "SQLITE_READONLY": f"cannot be written; make it and its folder writable, {ELSEWHERE}",
    "SQLITE_CANTOPEN": f"cannot be opened; make it a file in a folder that you may write to, {ELSEWHERE}",
    "SQLITE_FULL": f"cannot grow as its disk is full; make room, {ELSEWHERE}",
    "SQLITE_IOERR": f"cannot be read or written; look at its disk, {ELSEWHERE}",
}


class Database:
    """An open database of the newest schema.

    Args:
        url: An SQLAlchemy URL; a database that is not there is made.
        lock_timeout_seconds: How long a writer waits for the others.

    Raises:
        ConfigError: The URL makes no sense.
        StorageError: The database cannot be read or written, or is a newer Seqloom's or not ours.
        BusyError: Somebody else wrote for too long.
    """

    def __init__(self, url: str, *, lock_timeout_seconds: float = LOCK_TIMEOUT_SECONDS) -> None:
        parsed = _parse(url)
        file = self._file = sqlite_file(url)
        self._files: tuple[int | None, ...] = ()
        self.place = str(file or parsed.render_as_string(hide_password=True))
        self._lock_file = file and file.with_name(file.name + ".lock")
        self._lock_timeout_seconds = lock_timeout_seconds
        is_sqlite = parsed.get_backend_name() == "sqlite"
        self._is_in_memory = is_sqlite and file is None
        try:
            self._engine = create_engine(
                parsed,
                connect_args={"timeout": lock_timeout_seconds} if is_sqlite else {},
                pool_pre_ping=not is_sqlite,  # a server that was restarted has dropped our connection
                json_serializer=partial(json.dumps, default=dict),  # any Mapping is an object
            )
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"{self.place} needs the Python package '{error.name}'; install it"
            ) from error
        self._writer = self._engine.execution_options(begin="BEGIN IMMEDIATE")
        if is_sqlite:
            event.listen(self._engine, "connect", _configure_sqlite)
            event.listen(self._engine, "begin", _begin_sqlite)
        try:
            self._upgrade()
            self._files = self._found()
        except SeqloomError:
            self.close()
            raise

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one state of the database and changes nothing."""
        with self._at_its_place(), self._explained(), Session(self._engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that is alone in writing; what it did is kept whole, or not at all."""
        with (
            self._locked(),
            self._at_its_place(),
            self._explained(),
            Session(self._writer) as session,
            session.begin(),
        ):
            yield session

    def rest(self) -> None:
        """Keeps no connection until it is used again."""
        if not self._is_in_memory:
            self._engine.dispose()

    def close(self) -> None:
        """Lets go of the database."""
        self._engine.dispose()

    @contextmanager
    def _at_its_place(self) -> Iterator[None]:
        """Looks whether an open connection still has the files that are there.

        SQLite would go on writing into one that was deleted or replaced, and make a new one empty.
        """
        if self._file is not None:
            found = self._found()
            if found != self._files:
                self._engine.dispose()
            if found[0] is None:
                raise StorageError(f"{self.place} is not there any more; put it back, {ELSEWHERE}")
            self._files = found
        yield
        self._files = (*self._files[:1], *self._found()[1:])  # SQLite makes the other two as it needs them

    def _found(self) -> tuple[int | None, ...]:
        """What tells SQLite's files (database, log, index of the log) from others of their names."""
        if self._file is None:
            return ()
        return tuple(_inode(self._file.with_name(self._file.name + part)) for part in PARTS)

    def _upgrade(self) -> None:
        # All under the lock, reading too: to turn on WAL, SQLite wants nobody else to look.
        with self._locked(), self._explained():
            with self._engine.begin() as connection:
                schema = self._schema(connection)
            if schema != SCHEMA:
                self._migrate(schema)
            if self._engine.dialect.name == "sqlite":
                with self._engine.execution_options(begin=None).connect() as connection:
                    connection.exec_driver_sql("PRAGMA journal_mode=WAL")

    def _schema(self, connection: Connection) -> str | None:
        tables = inspect(connection).get_table_names()
        if SCHEMA_TABLE in tables:
            return str(connection.scalar(select(column("version_num")).select_from(table(SCHEMA_TABLE))))
        if tables:
            raise StorageError(
                f"{self.place} is another program's database; give the registry one of its own"
            )
        return None

    def _migrate(self, schema: str | None) -> None:
        from seqloom.registry.migrate import known_schemas, migrate  # noqa: PLC0415 - slow, seldom needed

        if schema is not None and schema not in known_schemas():
            raise StorageError(
                f"{self.place} has schema '{schema}', and this Seqloom knows none beyond '{SCHEMA}'; "
                f"install the newer Seqloom that wrote it, {ELSEWHERE}"
            )
        with self._writer.begin() as connection:
            migrate(connection)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        if self._lock_file is None:
            yield
            return
        lock = FileLock(self._lock_file, timeout=self._lock_timeout_seconds)
        try:
            lock.acquire(poll_interval=LOCK_POLL_SECONDS)
        except Timeout as error:
            raise self._busy() from error
        except OSError as error:
            raise StorageError(
                f"{self.place} cannot be locked ({self._lock_file.name}: {error.strerror}); "
                f"make its folder writable, {ELSEWHERE}"
            ) from error
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            explained = self._explain(error.orig)
            if isinstance(
                explained, StorageError
            ):  # what a connection remembers of it may be wrong for good
                self._engine.dispose()
            raise explained from error
        except (
            ValueError
        ) as error:  # text that is no UTF-8, no JSON or no date, and was when it was written
            self._engine.dispose()
            raise StorageError(f"{self.place} {WHAT_TO_DO['SQLITE_CORRUPT']}: {error}") from error

    def _explain(self, error: BaseException | None) -> SeqloomError:
        name = getattr(error, "sqlite_errorname", "") if isinstance(error, sqlite3.Error) else ""
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return self._busy()
        for start, advice in WHAT_TO_DO.items():
            if name.startswith(start):
                return StorageError(f"{self.place} {advice}")
        return StorageError(f"{self.place}: {error}")

    def _busy(self) -> BusyError:
        return BusyError(
            f"{self.place} has been locked by another process for more than "
            f"{self._lock_timeout_seconds:g} seconds; try again"
        )


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError) as error:
        raise ConfigError(
            f"'{url}' is not the URL of a database; for a file write sqlite:///FILE"
        ) from error
    return parsed


def sqlite_file(url: str) -> Path | None:
    """SQLite's file, there or not; None for a database in memory or behind a server.

    Raises:
        ConfigError: The URL makes no sense.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database in {None, "", ":memory:"}:
        return None
    return Path(str(parsed.database).removeprefix("file:")).absolute()


def _inode(file: Path) -> int | None:
    try:
        return file.stat().st_ino
    except OSError:
        return None


def _configure_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver would begin transactions on its own, and too late
    connection.execute("PRAGMA synchronous=FULL")  # what was registered survives a power cut
    connection.execute("PRAGMA foreign_keys=ON")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later may learn that it is too late: writers say so.
    statement = connection.get_execution_options().get("begin", "BEGIN")
    if statement is not None:
        connection.exec_driver_sql(statement)
