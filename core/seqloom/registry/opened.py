"""What all verbs of the registry stand on: a database that is opened when the first of them needs it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Final, Self, TypeVar

from sqlalchemy.orm import Session

from seqloom.registry.changes import Changes
from seqloom.registry.columns import Base
from seqloom.registry.database import Database
from seqloom.registry.place import sqlite_file

DEFAULT_URL: Final = "sqlite:///registry.db"
EMPTY_URL: Final = "sqlite://"  # in memory: what reading finds where nobody has written yet
AnyRow = TypeVar("AnyRow", bound=Base)


class Opened:
    """An open registry, without verbs; any number of processes and threads may use one database at a time.

    Args:
        url: An SQLAlchemy URL; None for ``SEQLOOM_REGISTRY``, and where that is not set for
            ``registry.db`` in the working folder. It is opened by the first verb: one that writes makes
            a database that is not there, one that reads finds nothing in it; an older one is upgraded.
        clock: What time it is, aware.

    Raises:
        ConfigError: The URL makes no sense, or needs a package that is not there.
        StorageError: The database cannot be read or written; any verb may raise it.
        BusyError: Another process wrote for a minute; every verb that writes may raise it.
    """

    def __init__(
        self, url: str | None = None, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._url = url or os.environ.get("SEQLOOM_REGISTRY") or DEFAULT_URL
        self._file = sqlite_file(self._url)
        self._opened: Database | None = None
        self._opening = threading.Lock()
        self._clock = clock

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the database."""
        if self._opened is not None:
            self._opened.close()

    def rest(self) -> None:
        """Keeps no connection until the next verb, which makes its own: for who has little to say.

        Nothing that happens to the database meanwhile can then be missed. One in memory stays as it is.
        """
        if self._opened is not None:
            self._opened.rest()

    def prepare(self) -> None:
        """Opens the database, or makes it, so that what is wrong with it is known before long work."""
        self._open()

    def _open(self) -> Database:
        with self._opening:
            self._opened = self._opened or Database(self._url)
            return self._opened

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        with self._open().writing() as session:
            changes = Changes(session)
            yield session
            changes.write()

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        if self._opened is None and self._file is not None and not self._file.exists():
            with closing(Database(EMPTY_URL)) as empty, empty.reading() as session:
                yield session
        else:
            with self._open().reading() as session:
                yield session


def reread(session: Session, row: AnyRow) -> AnyRow:
    """The row as the database has it by now, what hangs on it included."""
    session.flush()
    session.expire(row)
    return row
