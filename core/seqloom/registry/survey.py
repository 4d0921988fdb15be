"""What is at a registry's place, whatever its schema: seen without being made, upgraded or changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from sqlalchemy import Connection, column, func, inspect, select, table, text
from sqlalchemy.exc import DBAPIError

from seqloom.registry.backend import Backend
from seqloom.registry.database import LOCK_TIMEOUT_SECONDS, backend_of
from seqloom.registry.migrate import known_schemas
from seqloom.registry.place import shown, sqlite_file
from seqloom.registry.tables import SCHEMA, SCHEMA_TABLE

State = Literal["absent", "empty", "newest", "older", "newer", "foreign"]
COUNTED: Final = ("runs", "models", "scores", "events", "artefacts", "data_files")
DAMAGED: Final = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
WITHOUT_TABLES: Final = "SQLITE_ERROR"  # "no such table": who asks knows that there should be one


@dataclass(frozen=True)
class Survey:
    """What there is.

    Attributes:
        url: Where, without the password.
        database: Which kind, and its version.
        state: ``absent`` where nothing is, ``empty`` where nothing is in it, ``newest``, ``older`` or
            ``newer`` for a registry of such a schema, ``foreign`` for another program's.
        schema: The registry's, None where there is none.
        newest_schema: The newest that is known here.
        bytes: Its size, None where nothing is.
        counts: Of rows, by table; only those that its schema has.
        runs: How many, by ``kind`` and ``status``.
        deleted: How many runs and models are marked as deleted.
        names: How many names models have.
        newest_run: Its id.
    """

    url: str
    database: str
    state: State
    schema: str | None = None
    newest_schema: str = SCHEMA
    bytes: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    runs: tuple[tuple[str, str, int], ...] = ()
    deleted: Mapping[str, int] = field(default_factory=dict)
    names: int = 0
    newest_run: str | None = None


def survey(url: str) -> Survey:
    """Looks at a registry.

    Raises:
        ConfigError: The URL makes no sense.
        StorageError: The database cannot be read.
        BusyError: It is locked.
    """
    file = sqlite_file(url)
    if file is not None and not file.exists():
        return Survey(shown(url), _sqlite_version(), "absent")
    with _connected(url) as connection:
        version, size = _sqlite_version(), sum(path.stat().st_size for path in _files(file))
        if connection.dialect.name != "sqlite":
            version = f"PostgreSQL {_said(connection, 'SHOW server_version')}"
            size = int(_said(connection, "SELECT pg_database_size(current_database())"))
        there = set(inspect(connection).get_table_names())
        if SCHEMA_TABLE not in there:
            return Survey(shown(url), version, "foreign" if there else "empty", bytes=size)
        schema = str(connection.scalar(select(column("version_num")).select_from(table(SCHEMA_TABLE))))
        return Survey(
            shown(url),
            version,
            _state(schema),
            schema,
            bytes=size,
            **_counted(connection, there),
        )


def damage(file: Path) -> str | None:
    """Why a file of SQLite's cannot be used as it is, None where it can.

    Raises:
        sqlite3.Error: It cannot be looked at, for another reason than that it is damaged.
    """
    try:
        with closing(_reader(file)) as connection:
            found = connection.execute("PRAGMA integrity_check(3)").fetchall()
            if found != [("ok",)]:
                return "; ".join(" ".join(str(line).split()) for (line,) in found)
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
            if SCHEMA_TABLE in tables:
                missing = {"runs", "models", "scores", "aliases"} - tables
                return f"it has no table {', '.join(sorted(missing))}" if missing else None
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorname", "").startswith(DAMAGED):
            return str(error)
        raise
    return None


def broken_references(file: Path) -> list[str]:
    """Rows of a file of SQLite's that speak of a row that is not there."""
    with closing(_reader(file)) as connection:
        found = connection.execute("PRAGMA foreign_key_check").fetchall()
    return [f"row {row} of {name} speaks of a row of {other} that is gone" for name, row, other, _ in found]


def _reader(file: Path) -> sqlite3.Connection:
    """A connection that leaves a file and its log as they are; else SQLite would bring the two together."""
    return sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)


def _state(schema: str) -> State:
    if schema == SCHEMA:
        return "newest"
    return "older" if schema in known_schemas() else "newer"


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    """A connection that sees one state of the database, without any upgrade."""
    backend: Backend = backend_of(url, LOCK_TIMEOUT_SECONDS)
    try:
        with closing(backend), backend.reader.connect() as connection:
            yield connection
    except DBAPIError as error:
        raise backend.explain(error.orig) from error


def _counted(connection: Connection, there: set[str]) -> dict[str, Any]:
    """What is counted of a registry, as far as its schema has it."""
    runs = table("runs", column("id"), column("kind"), column("status"), column("started_at"))
    kinds = select(runs.c.kind, runs.c.status, func.count()).group_by(runs.c.kind, runs.c.status)
    newest = select(runs.c.id).order_by(runs.c.started_at.desc(), runs.c.id.desc()).limit(1)
    names = select(func.count(column("name").distinct())).select_from(table("models"))
    return {
        "counts": {name: _count(connection, name) for name in COUNTED if name in there},
        "runs": tuple((kind, status, number) for kind, status, number in connection.execute(kinds)),
        "deleted": {
            name: _count(connection, name, "deleted_at IS NOT NULL")
            for name in ("runs", "models")
            if any(one["name"] == "deleted_at" for one in inspect(connection).get_columns(name))
        },
        "names": connection.scalar(names),
        "newest_run": connection.scalar(newest),
    }


def _count(connection: Connection, name: str, where: str = "") -> int:
    wanted = select(func.count()).select_from(table(name))
    return connection.scalar(wanted.where(text(where)) if where else wanted) or 0


def _said(connection: Connection, statement: str) -> str:
    return str(connection.exec_driver_sql(statement).scalar())


def _sqlite_version() -> str:
    return f"SQLite {sqlite3.sqlite_version}"


def _files(file: Path | None) -> list[Path]:
    """A database's file and its log."""
    if file is None:
        return []
    return [path for path in (file, file.with_name(file.name + "-wal")) if path.exists()]
