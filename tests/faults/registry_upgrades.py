"""Upgrades of registries that are struck: what a process of its own does, as its children are forked of it.

It prints one JSON object; test_registry_kills.py says what that must say.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from struck import Points, ended, forked

from seqloom.registry import migrate
from seqloom.registry.store import Registry


class File:
    """Databases of SQLite's of an old schema.

    Args:
        folder: Where they are.
        script: Makes one.
    """

    def __init__(self, folder: str, script: str) -> None:
        self.folder = Path(folder)
        self.kept = self.folder / "kept.db"
        with closing(sqlite3.connect(self.kept)) as connection:
            connection.executescript(Path(script).read_text(encoding="utf-8") if script else "")
            connection.execute("PRAGMA journal_mode=WAL")
        self.url = ""

    def renew(self, number: int) -> None:
        (self.folder / str(number)).mkdir()
        self.file = self.folder / str(number) / "registry.db"
        self.url = f"sqlite:///{self.file}"
        shutil.copy(self.kept, self.file)

    def content(self, file: Path | None = None) -> list[str]:
        with closing(sqlite3.connect(file or self.file)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            return list(connection.iterdump())

    def copies(self) -> list[list[str]]:
        return [self.content(copy) for copy in self.file.parent.glob("*.bak")]


class Base:
    """Databases of PostgreSQL's of an old schema.

    Args:
        folder: Where its server listens.
        template: The database that they are copies of.
    """

    TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
    NAMES = (
        "SELECT conrelid::regclass || conname || pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace ORDER BY 1"
    )

    def __init__(self, folder: str, template: str) -> None:
        self.folder = folder
        self.template = template
        self.url = ""

    def renew(self, number: int) -> None:
        self.name = f"{self.template}_{number}"
        self._ask("postgres", f"CREATE DATABASE {self.name} TEMPLATE {self.template}")
        self.url = f"postgresql://seqloom@/{self.name}?host={self.folder}"

    def content(self) -> list[Any]:
        tables = [table for (table,) in self._ask(self.name, self.TABLES)]
        rows = [self._ask(self.name, f"SELECT t::text FROM {table} t ORDER BY 1") for table in tables]
        return [tables, rows, self._ask(self.name, self.NAMES)]

    def copies(self) -> list[Any]:
        return []  # the server's own affair

    def _ask(self, database: str, statement: str) -> list[Any]:
        import psycopg

        where: dict[str, Any] = {"host": self.folder, "user": "seqloom", "dbname": database}
        with psycopg.connect(autocommit=True, **where) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


def upgrade(url: str, last: int | None, pipe: int | None = None) -> None:
    points = Points(last)
    points.watch()
    with Registry(url) as registry:
        registry.prepare()
    if pipe is not None:
        os.write(pipe, str(points.count).encode())


def points_of(url: str) -> int:
    """At how many points an upgrade may be struck; it is done."""
    source, target = os.pipe()
    child = forked(lambda: upgrade(url, None, target))
    os.close(target)
    with os.fdopen(source) as told:
        count = int(told.read())
    assert ended(child) == 0
    return count


def upgrades(place: File | Base, every: int, copied: bool) -> dict[str, Any]:
    """Strikes an upgrade at its points, and then lets it be done.

    Args:
        place: Makes databases.
        every: Of so many points it is struck at one, and at the last five.
        copied: Whether a copy is to be there.

    Returns:
        How many were found old and how many new; the points at which something else was found, no copy was
        there though anything had been changed, or the next opening did not find or make all that is new.
    """
    place.renew(0)
    old = place.content()
    count = points_of(place.url)
    new, wanted = place.content(), [old] if copied else []
    found: dict[str, Any] = {
        "points": count,
        "struck": 0,
        "old": 0,
        "new": 0,
        "torn": [],
        "uncopied": [],
        "unopened": [],
    }
    for point in sorted({*range(0, count, every), *range(count - 5, count)}):
        found["struck"] += 1
        place.renew(point + 1)
        assert ended(forked(lambda point=point: upgrade(place.url, point))) == -signal.SIGKILL
        content, copies = place.content(), place.copies()
        found["old"] += content == old
        found["new"] += content == new
        if content not in (old, new):
            found["torn"].append(point)
        if copies != wanted and (copies or content != old):
            found["uncopied"].append(point)
        opened = ended(forked(lambda: upgrade(place.url, None)))
        if opened != 0 or place.content() != new or place.copies() != wanted:
            found["unopened"].append(point)
    return found


def file_upgrades(folder: str, script: str, every: int) -> dict[str, Any]:
    return upgrades(File(folder, script), every, copied=bool(script))


def base_upgrades(folder: str, template: str) -> dict[str, Any]:
    return upgrades(Base(folder, template), 1, copied=False)


def main() -> None:
    """Does what the arguments say: a function's name, and what it takes."""
    migrate.known_schemas()  # imports Alembic once for all
    what, *arguments = json.loads(sys.argv[1])
    acts = (file_upgrades, base_upgrades)
    (act,) = (act for act in acts if act.__name__ == what)
    print(json.dumps(act(*arguments)))


if __name__ == "__main__":
    main()
