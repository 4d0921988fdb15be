"""The registry behind a server of PostgreSQL's.

Writers queue at a lock that belongs to a transaction: one at a time, as with SQLite, so that a verb may
read before it writes. Whoever dies or falls silent in its turn loses the turn and what it did in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import URL, Connection, event

from seqloom.errors import BusyError, ConfigError, SeqloomError, StorageError
from seqloom.registry.backend import ELSEWHERE, Backend, engine_of
from seqloom.registry.place import shown

LOCK: Final = int.from_bytes(b"seqloom")
"""The advisory lock of those who write; a database has one registry."""

SILENCE_SECONDS: Final = 30
"""A writer that says nothing for so long in its turn (it was stopped) loses it."""

CONNECTION: Final = {
    "connect_timeout": 10,  # seconds
    "keepalives_idle": 30,  # a server whose machine is gone is given up within a minute
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,  # ms
    "application_name": "seqloom",
}
"""How long libpq waits, unless the URL says otherwise."""

MEANING: Final = {  # by the beginning of the SQLSTATE
    "25006": "cannot be written: its server is read-only (a standby?); name the one that may be written",
    "42501": "may not be used so by this user; GRANT it CREATE on the schema and all on its tables",
    "53100": "cannot grow as its server's disk is full; make room there",
    "53": "is behind a server that lacks memory or connections; try again",
    "25P03": "has waited too long for this process, which was stopped in the middle of writing; try again",
    "57": "is behind a server that stops or starts; try again",
    "08": "is behind a server that went away; try again when it is back",
}
UNREACHABLE: Final = (  # by what libpq says where no connection comes about; it gives no SQLSTATE
    ("password authentication failed", "refuses this user or password"),
    ("no password supplied", "wants a password: give it in the URL, in PGPASSWORD or in ~/.pgpass"),
    ("no pg_hba.conf entry", "refuses this user from here"),
    ("authentication failed", "refuses this user"),
    ("does not exist", "is not there; make the database (createdb) or the user (createuser)"),
    ("too many", "has too many connections; try again"),
    ("starting up", "is behind a server that starts; try again"),
    ("shutting down", "is behind a server that stops; try again"),
)


class PostgreSQL(Backend):
    """PostgreSQL.

    Args:
        url: Where it is.
        lock_timeout_seconds: How long a writer waits for the others.

    Raises:
        ConfigError: The driver is not installed.
    """

    def __init__(self, url: URL, lock_timeout_seconds: float) -> None:
        place = shown(url.render_as_string(hide_password=False))
        super().__init__(place.replace("+psycopg", "", 1), lock_timeout_seconds)
        self._password = str(url.password or url.query.get("password") or "")
        defaults = {name: value for name, value in CONNECTION.items() if name not in url.query}
        try:
            engine = engine_of(
                url,
                connect_args=defaults,
                pool_pre_ping=True,  # a server that was restarted has dropped our connection
            )
        except ImportError as error:
            raise ConfigError(
                f"{self.place} needs the Python package 'psycopg' ({error}); "
                "install it: pip install 'seqloom[postgresql]'"
            ) from error
        event.listen(engine, "connect", self._configure)
        self.reader = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self.writer = engine.execution_options(isolation_level="READ COMMITTED", takes_turn=True)
        event.listen(engine, "begin", _begin)

    @contextmanager
    def turn(self) -> Iterator[None]:
        yield  # a transaction begins with it

    @contextmanager
    def watched(self) -> Iterator[None]:
        yield  # a connection that was lost is found out when it is taken

    def rest(self) -> None:
        self.reader.dispose()

    def keep(self, schema: str) -> None:
        """An upgrade is one transaction, and copies are the server's own affair."""

    def settle(self) -> None:
        """Nothing."""

    def explain(self, error: BaseException | None) -> SeqloomError:
        state = getattr(error, "sqlstate", None) or ""
        said = self._without_password(" ".join(str(error).split()))
        if state == "55P03":  # a lock was not to be had
            return self.busy()
        if state.startswith("40"):  # others were faster
            return BusyError(f"{self.place}: {said}; try again")
        for start, meaning in MEANING.items():
            if state.startswith(start):
                return StorageError(f"{self.place} {meaning}, {ELSEWHERE} ({said})")
        if state:
            return StorageError(f"{self.place}: {said}")
        if type(error).__name__ == "ProgrammingError":  # psycopg's own, of what the URL asks for
            return ConfigError(f"{self.place}: {said}; correct the URL of the registry")
        for words, meaning in UNREACHABLE:
            if words in said:
                return StorageError(f"{self.place} {meaning}, {ELSEWHERE} ({said})")
        return StorageError(f"{self.place} cannot be reached; start its server, {ELSEWHERE} ({said})")

    def _without_password(self, text: str) -> str:
        return re.sub(re.escape(self._password), "***", text) if self._password else text

    def _configure(self, connection: Any, _record: object) -> None:
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise StorageError(
                f"{self.place} holds texts in {encoding}; make a database of ENCODING 'UTF8', {ELSEWHERE}"
            )
        milliseconds = max(1, round(1000 * self.lock_timeout_seconds))
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = {milliseconds}")
            cursor.execute(f"SET idle_in_transaction_session_timeout = '{SILENCE_SECONDS}s'")
        connection.autocommit = False


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get("takes_turn"):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
