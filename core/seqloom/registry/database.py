"""The registry's database, opened, of the newest schema."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, column, inspect, select, table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from seqloom import __version__
from seqloom.errors import BusyError, SeqloomError, StorageError
from seqloom.registry.backend import ELSEWHERE, Backend
from seqloom.registry.place import parse
from seqloom.registry.postgresql import PostgreSQL
from seqloom.registry.sqlite import SQLite
from seqloom.registry.tables import SCHEMA, SCHEMA_TABLE

LOCK_TIMEOUT_SECONDS: Final = 60.0


class Database:
    """An open database of the newest schema.

    Args:
        url: Of SQLite or PostgreSQL; a file that is not there is made, an older schema is upgraded.
        lock_timeout_seconds: How long a writer waits for the others.

    Raises:
        ConfigError: The URL makes no sense, or needs a package that is not there.
        StorageError: The database cannot be read or written, or is a newer Seqloom's or not ours.
        BusyError: Somebody else wrote for too long.
    """

    def __init__(self, url: str, *, lock_timeout_seconds: float = LOCK_TIMEOUT_SECONDS) -> None:
        self._backend = backend_of(url, lock_timeout_seconds)
        self.place = self._backend.place
        try:
            self._upgrade()
        except SeqloomError:
            self.close()
            raise

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one state of the database and changes nothing."""
        with self._backend.watched(), self._explained(), Session(self._backend.reader) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that is alone in writing; what it did is kept whole, or not at all."""
        backend = self._backend
        with (
            self._explained(),
            Session(backend.writer) as session,
            backend.turn(),  # for no longer than it takes
            backend.watched(),
            session.begin(),
        ):
            session.connection()  # the transaction begins here, not with what happens to be said first
            yield session

    def rest(self) -> None:
        """Keeps no connection until it is used again."""
        self._backend.rest()

    def close(self) -> None:
        """Lets go of the database."""
        self._backend.close()

    def _upgrade(self) -> None:
        with self._backend.turn(), self._explained():
            with self._backend.reader.begin() as connection:
                schema = self._schema(connection)
            if schema != SCHEMA:
                with self._backend.writer.begin() as connection:
                    self._migrate(connection)
            self._backend.settle()

    def _schema(self, connection: Connection) -> str | None:
        tables = inspect(connection).get_table_names()
        if SCHEMA_TABLE in tables:
            return str(connection.scalar(select(column("version_num")).select_from(table(SCHEMA_TABLE))))
        if tables:
            raise StorageError(
                f"{self.place} is another program's database; give the registry one of its own"
            )
        return None

    def _migrate(self, connection: Connection) -> None:
        from seqloom.registry.migrate import known_schemas, migrate  # noqa: PLC0415 - slow, seldom needed

        schema = self._schema(connection)  # once more: another process may have been faster
        if schema == SCHEMA:
            return
        if schema is not None and schema not in known_schemas():
            raise StorageError(
                f"{self.place} has schema '{schema}', and this Seqloom ({__version__}) knows none beyond "
                f"'{SCHEMA}'; install a newer one: pip install --upgrade seqloom, {ELSEWHERE} "
                "(seqloom registry info tells more)"
            )
        if schema is not None:
            self._backend.keep(schema)
        migrate(connection)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            explained = self._backend.explain(error.orig)
            if isinstance(explained, StorageError):  # what a connection keeps of it may be wrong for good
                self._backend.rest()
            raise explained from error
        except UnicodeEncodeError:  # what was to be written is at fault
            raise
        except ValueError as error:  # text that is no UTF-8, JSON or date, and was when it was written
            self._backend.rest()
            raise StorageError(
                f"{self.place} is damaged ({error}); put a copy back, {ELSEWHERE}"
            ) from error
        except PoolTimeoutError as error:
            raise BusyError(f"{self.place}: too many at once in this process; try again") from error


def backend_of(url: str, lock_timeout_seconds: float) -> Backend:
    """The kind of database that a URL names, with nothing asked of it yet."""
    parsed = parse(url)
    kind = SQLite if parsed.drivername == "sqlite" else PostgreSQL
    return kind(parsed, lock_timeout_seconds)
