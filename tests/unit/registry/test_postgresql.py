"""What only a server can do to a registry; all else is tested with both kinds of databases."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from seqloom.errors import BusyError, ConfigError, StorageError
from seqloom.registry import postgresql
from seqloom.registry.database import Database
from seqloom.registry.store import Registry

ELSEWHERE = "or name another registry with --registry or SEQLOOM_REGISTRY"


@pytest.fixture(scope="module")
def users(postgres: Any) -> None:
    """One who may log in and no more, and one who has a password."""
    for statement in (
        "CREATE ROLE guest LOGIN",
        "CREATE ROLE member LOGIN PASSWORD 'the right one'",
        "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
    ):
        postgres.tell(statement)
    rules = Path(postgres.folder / "data" / "pg_hba.conf")
    rules.write_text(f"local all member scram-sha-256\n{rules.read_text()}")
    loaded = postgres.tell("SELECT pg_conf_load_time()")
    postgres.tell("SELECT pg_reload_conf()")
    while postgres.tell("SELECT pg_conf_load_time()") == loaded:
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("user", "database", "error", "message"),
    [
        (
            "seqloom",
            "nowhere",
            StorageError,
            r"is not there; make the database \(createdb\) .*does not exist",
        ),
        ("nobody", "postgres", StorageError, "is not there; .* or the user .*does not exist"),
        ("guest", "used", StorageError, "may not be used so by this user; GRANT it .*permission denied"),
        (
            "member:a%20secret",
            "used",
            StorageError,
            "refuses this user or password, .*authentication failed",
        ),
        (
            "member",
            "used",
            StorageError,
            "wants a password: give it in the URL, in PGPASSWORD or in ~/.pgpass",
        ),
        ("seqloom", "latin", StorageError, "holds texts in LATIN1; make a database of ENCODING 'UTF8'"),
    ],
)
@pytest.mark.usefixtures("users", "used")
def test_failures_are_told_with_what_to_do(
    postgres: Any, user: str, database: str, error: type[Exception], message: str
) -> None:
    url = f"postgresql://{user}@/{database}?host={postgres.folder}"
    with pytest.raises(
        error, match=rf"(?s)^postgresql://\w+(:\*\*\*)?@/{database}\?.* {message}"
    ) as caught:
        Registry(url).prepare()

    assert ELSEWHERE in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://me:secret@127.0.0.1:1/x", "cannot be reached; start its server, or name another"),
        ("postgres://me:secret@127.0.0.1:1/x", "cannot be reached; start its server, or name another"),
        (
            "postgresql://me:secret@nowhere.invalid/x",
            "cannot be reached; start its server, or name another",
        ),
        (
            "postgresql://me@/x?host=/nowhere&password=secret",
            "cannot be reached; start its server, or name",
        ),
    ],
)
def test_server_that_is_not_there(url: str, message: str) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(StorageError, match=message) as caught:
        Registry(url).models()

    assert "secret" not in str(caught.value)


def test_option_that_libpq_does_not_know() -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(ConfigError, match='invalid connection option "colour"; correct the URL'):
        Registry("postgresql://me@/x?host=/nowhere&colour=red").models()


def test_missing_driver_is_named_and_the_password_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(ConfigError, match=r"'psycopg' .*: pip install 'seqloom\[postgresql\]'") as caught:
        Registry("postgresql://me:secret@localhost/x").models()

    assert "secret" not in str(caught.value)


def test_server_that_may_only_be_read(served: str) -> None:
    def write(database: Database) -> None:
        with database.writing() as session:  # a standby answers so, whatever it is asked
            session.connection().exec_driver_sql("SET TRANSACTION READ ONLY")
            session.connection().exec_driver_sql("DELETE FROM notes")

    message = "cannot be written: its server is read-only"
    with closing(Database(served)) as database, pytest.raises(StorageError, match=message):
        write(database)


def test_silent_writer_loses_its_turn(served: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "SILENCE_SECONDS", 0.1)
    with closing(Database(served)) as one, closing(Database(served, lock_timeout_seconds=20)) as other:
        held, waited = threading.Event(), []

        def wait() -> None:
            held.wait()
            with other.writing() as session:
                waited.append(session.connection().exec_driver_sql("SELECT count(*) FROM notes").scalar())

        def fall_silent(database: Database) -> None:
            with database.writing() as session:
                held.set()
                thread.join()
                session.connection().exec_driver_sql("SELECT 1")

        thread = threading.Thread(target=wait)
        thread.start()
        with pytest.raises(StorageError, match=r"was stopped in the middle of writing|went away"):
            fall_silent(one)
    assert waited == [0]


def test_connections_that_were_cut_are_made_anew(served: str, postgres: Any) -> None:
    with Registry(served) as registry:
        assert registry.runs() == []
        postgres.tell("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'used'")
        assert registry.runs() == []


def test_too_many_connections_are_busy(url: str) -> None:
    message = "too many at once in this process; try again"
    database = Database(url)
    with closing(database), pytest.raises(BusyError, match=message), database.reading():
        raise PoolTimeoutError
