"""A backup is a registry with all that the other one had at one moment, whatever that is in."""

from __future__ import annotations

import random
import sqlite3
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from furnishing import Furnisher, facts_of

from seqloom.errors import StorageError, UsageError
from seqloom.registry.copying import back_up
from seqloom.registry.place import shown
from seqloom.registry.store import Registry
from seqloom.registry.survey import survey
from seqloom.registry.tables import SCHEMA

Facts = dict[str, Any]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "copies" / "copy.db"


@pytest.fixture(autouse=True)
def copies(copy: Path) -> None:
    copy.parent.mkdir()


def test_a_backup_has_everything(registry: Registry, url: str, tmp_path: Path, copy: Path) -> None:
    Furnisher(registry, tmp_path / "runs", random.Random(5)).furnish(25)

    size = back_up(url, copy)

    assert [path.name for path in copy.parent.iterdir()] == ["copy.db"]
    assert copy.stat().st_size == size
    with Registry(f"sqlite:///{copy}") as other:
        assert facts_of(other) == facts_of(registry)
        latest = other.model("de-en").version if other.models("name = 'de-en'") else 0
        assert other.add_model("de-en", "t", None, "/x", "", []).version > latest
    with pytest.raises(UsageError, match=r"copy.db is there already, and is left as it is"):
        back_up(url, copy)


def test_a_backup_is_of_one_moment_while_others_write(
    registry: Registry, url: str, facts: Facts, copy: Path
) -> None:
    registry.add_model("m", "t", None, "/x", "", [])
    done = threading.Event()

    def write() -> None:
        with Registry(url) as other:
            while not done.is_set():
                run = other.start_run(**facts)
                model = other.add_model("m", "t", run.id, "/x", "", [])
                other.set_alias("m", model.version, "newest")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            back_up(url, copy.with_name(f"{number}.db"))
    finally:
        done.set()
        writer.join()

    for number in range(3):
        with Registry(f"sqlite:///{copy.with_name(f'{number}.db')}") as other:
            versions = [model.version for model in other.models()]
            assert versions == list(range(len(versions), 0, -1))
            assert {run.id for run in other.runs()} >= {model.run_id for model in other.models()} - {None}


def test_nothing_is_left_of_a_backup_that_cannot_be(sqlite: str, file: Path, copy: Path) -> None:
    with pytest.raises(StorageError, match="is no registry; there is nothing to back up"):
        back_up("sqlite:///nowhere.db", copy)
    with Registry(sqlite) as damaged:
        damaged.add_model("m", "t", None, "/x" * 10_000, "", [])
    content = bytearray(file.read_bytes())
    page = content.rindex(b"/x" * 2000) // 4096 * 4096  # one that only the row's own end is in
    content[page : page + 4] = b"\xff" * 4
    file.write_bytes(content)

    with pytest.raises(StorageError, match=r"is damaged \(.+\); seqloom registry rebuild makes it anew"):
        back_up(sqlite, copy)

    assert list(copy.parent.iterdir()) == []


def test_a_registry_is_seen(registry: Registry, url: str, facts: Facts) -> None:
    registry.prepare()
    assert survey(url).counts["runs"] == 0
    for kind in ("train", "decode", "train"):
        run = registry.start_run(**{**facts, "kind": kind})
    registry.end_run(run.id, "failed")
    registry.add_model("m", "t", None, "/x", "", [])
    registry.delete_model("m/1")

    found = survey(url)

    assert found.url == shown(url)
    assert found.database.startswith(("SQLite 3.", "PostgreSQL 1"))
    assert (found.state, found.schema, found.newest_schema) == ("newest", SCHEMA, SCHEMA)
    assert sorted(found.runs) == [
        ("decode", "running", 1),
        ("train", "failed", 1),
        ("train", "running", 1),
    ]
    assert (found.deleted, found.names, found.newest_run) == ({"runs": 0, "models": 1}, 1, run.id)
    assert (found.counts["models"], found.counts["data_files"]) == (1, 1)
    assert found.bytes is not None
    assert found.bytes > 0


def test_what_is_no_registry_is_seen(empty: str, file: Path) -> None:
    assert survey(empty).state in {"absent", "empty"}
    assert not file.exists()
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE songs (id)")
    assert survey(f"sqlite:///{file}").state == "foreign"


def test_no_password_is_shown() -> None:
    with pytest.raises(StorageError) as caught:
        survey("postgresql://me:secret@localhost:1/x")

    assert "secret" not in str(caught.value)
