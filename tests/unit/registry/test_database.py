from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest
from filelock import FileLock

from seqloom import __version__ as VERSION
from seqloom.errors import BusyError, ConfigError, StorageError
from seqloom.registry.database import Database
from seqloom.registry.store import Registry
from seqloom.registry.tables import SCHEMA

INSERT = (
    "INSERT INTO models (name, version, task, folder, sha256, created_at) "
    "VALUES ('a', 1, 't', '/x', '', '2026-11-21 00:00:00')"
)
COUNT = "SELECT count(*) FROM models"


def test_pragmas(sqlite: str) -> None:
    database = Database(sqlite)
    with database.reading() as session:
        values = {
            name: session.connection().exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "synchronous")
        }
    database.close()

    assert values == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 2}


def test_reader_does_not_wait_for_the_writer(url: str) -> None:
    with closing(Database(url)) as one, closing(Database(url, lock_timeout_seconds=0.05)) as other:
        with one.writing() as writer:
            writer.connection().exec_driver_sql(INSERT)
            with other.reading() as reader:
                assert reader.connection().exec_driver_sql(COUNT).scalar() == 0
            message = f"^{re.escape(other.place)} has been locked .* 0.05 seconds; try again"
            with pytest.raises(BusyError, match=message), other.writing():
                pass
        with other.reading() as reader:
            assert reader.connection().exec_driver_sql(COUNT).scalar() == 1


def test_failed_writing_leaves_nothing(url: str) -> None:
    with closing(Database(url)) as database:
        with suppress(ZeroDivisionError), database.writing() as session:
            session.connection().exec_driver_sql(INSERT)
            raise ZeroDivisionError
        with database.reading() as session:
            assert session.connection().exec_driver_sql(COUNT).scalar() == 0
        with database.writing() as session:
            session.connection().exec_driver_sql(INSERT)
        with database.reading() as session:
            assert session.connection().exec_driver_sql(COUNT).scalar() == 1


def test_opening_waits_for_the_lock(sqlite: str, tmp_path: Path) -> None:
    with FileLock(tmp_path / "registry.db.lock"), pytest.raises(BusyError):
        Database(sqlite, lock_timeout_seconds=0.05)


def test_writing_waits_for_the_lock_and_reading_does_not(sqlite: str, tmp_path: Path) -> None:
    database = Database(sqlite, lock_timeout_seconds=0.05)
    with closing(database), FileLock(tmp_path / "registry.db.lock"):
        with pytest.raises(BusyError), database.writing():
            pass
        with database.reading() as session:
            assert session.connection().exec_driver_sql(COUNT).scalar() == 0
    with closing(database), database.writing() as session:
        session.connection().exec_driver_sql(INSERT)


def test_another_programs_lock_is_busy(sqlite: str, tmp_path: Path) -> None:
    """A program that knows nothing of our lock file holds SQLite's own."""
    database = Database(sqlite, lock_timeout_seconds=0.05)
    with closing(database), closing(sqlite3.connect(tmp_path / "registry.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(BusyError), database.writing() as session:
            session.connection()


# Places that cannot be used ----------------------------------------------------------------------------


def _text(file: Path) -> None:
    file.write_text("This is a letter, not a database. " * 100)


def _folder(file: Path) -> None:
    file.mkdir()


def _folder_for_lock(file: Path) -> None:
    file.with_name("registry.db.lock").mkdir()


def _damaged(file: Path) -> None:
    Registry(f"sqlite:///{file}").prepare()
    content = bytearray(file.read_bytes())
    content[100:] = b"\xff" * (len(content) - 100)
    file.write_bytes(content)


def _cut(file: Path) -> None:
    Registry(f"sqlite:///{file}").prepare()
    with file.open("r+b") as opened:
        opened.truncate(5000)


def _newer(file: Path) -> None:
    Registry(f"sqlite:///{file}").prepare()
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE seqloom_schema SET version_num = '9999_of_tomorrow'")


def _foreign(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE runs (id)")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_text, "is not an SQLite database; move it away, or name another registry with --registry"),
        (_folder, "cannot be opened; make it a file in a folder that you may write to"),
        (_folder_for_lock, r"cannot be locked \(registry.db.lock: .+\); make its folder writable"),
        (_damaged, "is damaged; put a copy back"),
        (_cut, "is damaged; put a copy back"),
        (
            _newer,
            rf"has schema '9999_of_tomorrow', and this Seqloom \({VERSION}\) knows none beyond '{SCHEMA}'; "
            "install a newer one: pip install --upgrade seqloom, or .*seqloom registry info tells more",
        ),
        (_foreign, "is another program's database; give the registry one of its own"),
    ],
)
def test_unusable_file_is_named(
    sqlite: str, tmp_path: Path, spoil: Callable[[Path], None], message: str
) -> None:
    file = tmp_path / "registry.db"
    spoil(file)
    before = file.read_bytes() if file.is_file() else None

    with pytest.raises(StorageError, match=f"^{file} {message}"):
        Registry(sqlite).prepare()

    assert (file.read_bytes() if file.is_file() else None) == before


def test_read_only_database_is_read_and_not_written(sqlite: str, tmp_path: Path) -> None:
    file = tmp_path / "registry.db"
    with Registry(sqlite) as registry:
        model = registry.add_model("a", "t", None, "/x", "", [])

    with Registry(f"sqlite:///file:{file}?mode=ro&uri=true") as registry:
        assert registry.models() == [model]
        with pytest.raises(
            StorageError, match=f"^{file} cannot be written; make it and its folder writable"
        ):
            registry.set_alias("a", 1, "champion")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_without_permission(sqlite: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StorageError, match=r"cannot be locked .*Permission denied"):
            Registry(sqlite).prepare()
    finally:
        tmp_path.chmod(0o700)


def test_missing_table_is_told_in_sqlites_words(sqlite: str, tmp_path: Path) -> None:
    with Registry(sqlite) as registry:
        registry.prepare()
        with closing(sqlite3.connect(tmp_path / "registry.db")) as connection, connection:
            connection.execute("DROP TABLE scores")
            connection.execute("DROP TABLE aliases")
            connection.execute("DROP TABLE models")
        with pytest.raises(StorageError, match=r"registry.db: no such table: models"):
            registry.models()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("registry.db", "'registry.db' is not the URL of a database; for a file write sqlite:///FILE"),
        ("nosuch://host/x", "'nosuch://host/x' is the URL of no database that Seqloom knows; for a file"),
        ("postgresql://me:secret@host:port/x", r"'postgresql://me:\*\*\*@host:port/x' is not the URL"),
        (
            "postgresql+psycopg2://me:secret@host/x",
            r"me:\*\*\*@host/x' names a driver .* leave '\+psycopg2' out",
        ),
        ("mysql://host/x?password=secret", r"'mysql://host/x\?password=\*\*\*' is the URL of no database"),
    ],
)
def test_url_that_makes_no_sense(url: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Registry(url)


def test_reading_sees_one_state(url: str) -> None:
    with closing(Database(url)) as one, closing(Database(url)) as other:
        with one.reading() as reader:
            assert reader.connection().exec_driver_sql(COUNT).scalar() == 0
            with other.writing() as writer:
                writer.connection().exec_driver_sql(INSERT)
            assert reader.connection().exec_driver_sql(COUNT).scalar() == 0
        with one.reading() as reader:
            assert reader.connection().exec_driver_sql(COUNT).scalar() == 1
