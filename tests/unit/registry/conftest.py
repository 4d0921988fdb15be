from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from seqloom.registry.database import Database
from seqloom.registry.records import DataFile
from seqloom.registry.store import Registry

DAY = datetime(2026, 11, 21, tzinfo=UTC)
KINDS = ("sqlite", "postgresql")
NewUrl = Callable[[], str]


@pytest.fixture(scope="session")
def template(postgres: Any) -> str:
    """A database of the newest schema, for others to be copies of."""
    postgres.tell("CREATE DATABASE template")
    Database(postgres.url("template")).close()
    return "template"


@pytest.fixture(scope="session")
def used(postgres: Any, template: str) -> None:
    """Makes the database that one test after the other uses."""
    postgres.tell(f"CREATE DATABASE used TEMPLATE {template}")


@pytest.fixture
def served(postgres: Any, used: None) -> str:
    """A registry of PostgreSQL's in which nothing is."""
    return str(postgres.emptied("used"))


@pytest.fixture(scope="session", params=KINDS)
def new_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> NewUrl:
    """Makes URLs of registries in which nothing is; tests that ask for it run with each kind of database."""
    if request.param == "sqlite":
        return lambda: f"sqlite:///{tmp_path_factory.mktemp('sqlite') / 'registry.db'}"
    postgres, template = request.getfixturevalue("postgres"), request.getfixturevalue("template")
    return lambda: postgres.new(template)


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, file: Path) -> str:
    """A registry in which nothing is; tests that ask for it run with each kind of database."""
    if request.param == "sqlite":
        return f"sqlite:///{file}"
    return str(request.getfixturevalue("served"))


@pytest.fixture(params=KINDS)
def empty(request: pytest.FixtureRequest, file: Path) -> str:
    """A place for a registry where there is none yet, of each kind."""
    return f"sqlite:///{file}" if request.param == "sqlite" else request.getfixturevalue("postgres").new()


@pytest.fixture
def sqlite(file: Path) -> str:
    """A place for a registry of SQLite's."""
    return f"sqlite:///{file}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a registry of SQLite's may be."""
    return tmp_path / "registry.db"


@pytest.fixture(scope="session")
def new_clock() -> Callable[[], Callable[[], datetime]]:
    """Makes clocks that go on by a minute at each look, from 2026-11-21 00:00 UTC."""

    def new() -> Callable[[], datetime]:
        minutes = count()
        return lambda: DAY + timedelta(minutes=next(minutes))

    return new


@pytest.fixture
def registry(url: str, new_clock: Callable[[], Callable[[], datetime]]) -> Iterator[Registry]:
    with Registry(url, clock=new_clock()) as opened:
        yield opened


@pytest.fixture(scope="session")
def facts() -> dict[str, Any]:
    return {
        "kind": "train",
        "name": "de-en",
        "task": "translation",
        "config": {"train": {"steps": 8000, "betas": [0.9, 0.98]}, "umlaut": "ä"},
        "seed": 2**62,
        "device": "cpu",
        "device_reason": "no GPU was found",
        "versions": {"python": "3.11.7", "torch": "2.11.0"},
        "data": (DataFile(path="train.de", sha256="ab12", split="train", bytes=10, rows=2),),
    }
