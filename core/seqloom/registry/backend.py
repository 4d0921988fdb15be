"""What each kind of database does in its own way: how it is reached, who may write, what failures mean."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, Final

from sqlalchemy import URL, Engine, create_engine, event

from seqloom.errors import BusyError, SeqloomError
from seqloom.jsonable import jsonable
from seqloom.registry.texts import storable_all, storable_json

ELSEWHERE: Final = "or name another registry with --registry or SEQLOOM_REGISTRY"


class Backend(ABC):
    """One kind of database.

    Args:
        place: What errors call it.
        lock_timeout_seconds: How long a writer waits for the others.

    Attributes:
        place: What errors call it.
        reader: Its transactions see one state of the database.
        writer: Its transactions are alone in writing, inside :meth:`turn`.
    """

    reader: Engine
    writer: Engine

    def __init__(self, place: str, lock_timeout_seconds: float) -> None:
        self.place = place
        self.lock_timeout_seconds = lock_timeout_seconds

    @abstractmethod
    def turn(self) -> AbstractContextManager[None]:
        """Waits until it is ours to write.

        Raises:
            BusyError: Others wrote for too long.
            StorageError: Nobody may write here.
        """

    @abstractmethod
    def watched(self) -> AbstractContextManager[None]:
        """Sees to it that a transaction meets the database that is there, not one that was.

        Raises:
            StorageError: It went away since it was opened.
        """

    @abstractmethod
    def rest(self) -> None:
        """Keeps no connection until the next transaction; a database in memory stays as it is."""

    @abstractmethod
    def keep(self, schema: str) -> None:
        """Keeps a copy of the database, as it is before its upgrade from a schema."""

    @abstractmethod
    def settle(self) -> None:
        """What is left to do when the database has the newest schema; inside a turn."""

    @abstractmethod
    def explain(self, error: BaseException | None) -> SeqloomError:
        """What a failure of the driver's means, and what to do."""

    def close(self) -> None:
        """Lets go of the database."""
        self.reader.dispose()

    def busy(self) -> BusyError:
        """What is said where others wrote for too long."""
        return BusyError(
            f"{self.place} has been locked by another process for more than "
            f"{self.lock_timeout_seconds:g} seconds; try again"
        )


def engine_of(url: URL, **options: Any) -> Engine:
    """An engine whose texts are such as both kinds of databases hold."""
    engine = create_engine(url, json_serializer=_to_json, **options)
    event.listen(engine, "before_cursor_execute", _keep_texts, retval=True)
    return engine


def _to_json(value: Any) -> str:
    # Any Mapping is an object.
    to_text = partial(json.dumps, ensure_ascii=False, allow_nan=False, default=dict)
    try:
        return storable_json(to_text(value))
    except ValueError:  # NaN or an infinity, which JSON has not
        return storable_json(to_text(jsonable(value)))


def _keep_texts(
    _connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool
) -> tuple[str, Any]:
    return statement, storable_all(parameters)
