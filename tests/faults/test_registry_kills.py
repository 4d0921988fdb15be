"""Registries whose writers are killed with -9, whose server crashes, and which many open at once."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import postgres as own_postgres
from seqloom.registry.store import Registry

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent
SCHEMAS = Path(__file__).parents[1] / "unit" / "registry" / "schemas"
RELEASED = sorted(file.stem for file in SCHEMAS.glob("*.sql"))
KINDS = ("sqlite", "postgresql")


def run(script: str, *what: object) -> Any:
    """What a function of a script finds."""
    command = [sys.executable, HERE / script, json.dumps(what)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    found = json.loads(done.stdout)
    print(what, found)
    return found


@pytest.fixture
def server(kind: str, request: pytest.FixtureRequest) -> Any:
    return None if kind == "sqlite" else request.getfixturevalue("postgres")


@pytest.fixture
def url(server: Any, tmp_path: Path) -> str:
    """A place where there is no registry yet, of each kind."""
    return f"sqlite:///{tmp_path / 'registry.db'}" if server is None else server.new()


def check_commits(url: str, kills: int) -> None:
    found = run("registry_writers.py", "commits", url, kills, 1)
    assert found["inside"] == kills
    assert found["acknowledged"] > kills
    assert (found["lost"], found["damage"], found["gaps"]) == ([], [], False)
    assert found["unacknowledged"] <= found["killed"] + 1  # each had one to tell of, and the bystander


@pytest.mark.parametrize("kind", KINDS)
def test_no_acknowledged_commit_is_lost(url: str) -> None:
    check_commits(url, 10)


@pytest.mark.faults
@pytest.mark.parametrize(("kind", "kills"), [("sqlite", 2000), ("postgresql", 200)])
def test_no_acknowledged_commit_of_thousands_is_lost(url: str, kills: int) -> None:
    check_commits(url, kills)


def check_starts(url: str, processes: int) -> None:
    found = run("registry_writers.py", "starts", url, processes)
    assert found["codes"] == [0] * processes
    assert found["versions"] == list(range(1, processes + 1))


@pytest.mark.parametrize("kind", KINDS)
def test_many_first_starts_make_one_registry(url: str) -> None:
    check_starts(url, 8)


@pytest.mark.faults
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("round_", range(20))
def test_very_many_first_starts_make_one_registry(url: str, round_: int) -> None:
    check_starts(url, 32)


def check_upgrades(found: dict[str, Any]) -> None:
    assert found["old"] + found["new"] == found["struck"]
    assert min(found["old"], found["new"]) > 0
    assert (found["torn"], found["uncopied"], found["unopened"]) == ([], [], [])


def test_upgrade_that_is_struck_is_done_or_not_begun(tmp_path: Path) -> None:
    check_upgrades(
        run(
            "registry_upgrades.py", "file_upgrades", str(tmp_path), str(SCHEMAS / f"{RELEASED[-2]}.sql"), 20
        )
    )


@pytest.mark.faults
@pytest.mark.parametrize("schema", ["", *RELEASED[:-1]])
def test_upgrade_struck_anywhere_is_done_or_not_begun(schema: str, tmp_path: Path) -> None:
    script = str(SCHEMAS / f"{schema}.sql") if schema else ""
    found = run("registry_upgrades.py", "file_upgrades", str(tmp_path), script, 1)
    assert found["struck"] == found["points"]
    check_upgrades(found)


@pytest.mark.faults
@pytest.mark.parametrize("schema", RELEASED[:-1])
def test_upgrade_in_postgresql_struck_anywhere_is_done_or_not_begun(schema: str, postgres: Any) -> None:
    name = f"of_{schema}"
    postgres.tell(f"CREATE DATABASE {name}")
    postgres.tell((SCHEMAS / "postgresql" / f"{schema}.sql").read_text(encoding="utf-8"), name)
    check_upgrades(run("registry_upgrades.py", "base_upgrades", str(postgres.folder), name))


@pytest.fixture
def own_server() -> Iterator[Any]:
    """A server that may crash."""
    if reason := own_postgres.why_not():
        pytest.skip(reason)
    with own_postgres.running() as server:
        yield server


@pytest.mark.faults
def test_no_acknowledged_commit_is_lost_by_a_server_that_crashes(own_server: Any) -> None:
    chance, url, said = random.Random(1), own_server.new(), {}
    for _ in range(10):
        command = [sys.executable, HERE / "registry_writers.py", json.dumps(["writers", url, 4])]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ) as writing:
            time.sleep(2 + chance.random())
            own_server.stop()
            assert writing.stdout is not None
            found = json.loads(writing.stdout.read())
        own_server.start()
        assert found["codes"] == [0] * 4
        said |= found["said"]
    with Registry(url) as registry:
        there = {model.sha256: model.version for model in registry.models("name = 'de-en'")}
    assert len(said) > 100
    assert {mark: there.get(mark) for mark in said} == {mark: int(one) for mark, one in said.items()}
    assert sorted(there.values()) == list(range(1, len(there) + 1))
