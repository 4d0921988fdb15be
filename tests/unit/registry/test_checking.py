"""What is wrong with a registry is found, and what can be put right is."""

from __future__ import annotations

import fcntl
import random
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

sys.path.insert(0, str(Path(__file__).parent))
from furnishing import Furnisher, write_model

from seqloom.ledger import FILE
from seqloom.registry import mirror
from seqloom.registry.checking import Finding, check
from seqloom.registry.folders import WAITING
from seqloom.registry.holding import LOCK
from seqloom.registry.place import parse
from seqloom.registry.records import Score
from seqloom.registry.store import Registry

Facts = dict[str, Any]
Kinds = Callable[..., list[tuple[str, str]]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "runs" / "a").mkdir(parents=True)
    return tmp_path / "runs" / "a"


@pytest.fixture
def run_id(registry: Registry, facts: Facts, folder: Path) -> str:
    """A run that is finished, and made de-en/1."""
    run = registry.start_run(**facts, id="a", folder=str(folder))
    sha256 = write_model(folder / "model")
    registry.add_model("de-en", "translation", run.id, str(folder / "model"), sha256, [])
    return registry.end_run(run.id, "finished").id


@pytest.fixture
def kinds(url: str) -> Kinds:
    """What is found, by kind and by whose it is."""
    return lambda **how: [(finding.kind, finding.about) for finding in check(url, **how)]


def execute(url: str, *statements: str) -> None:
    """Says to the database what no verb would; keys count for nothing meanwhile."""
    engine = create_engine(parse(url))
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def test_a_sound_registry(url: str, registry: Registry, tmp_path: Path) -> None:
    Furnisher(registry, tmp_path / "runs", random.Random(3)).furnish(25)
    for run in registry.runs("status = 'running'", deleted=True):
        registry.end_run(run.id, "finished")

    missing = [finding for finding in check(url) if "speaks of models:/de-en/1" not in finding.found]

    assert missing == []


def test_models_and_their_folders(registry: Registry, run_id: str, folder: Path, kinds: Kinds) -> None:
    assert kinds() == []
    (folder / "model" / "manifest.json").write_text("{}")
    assert kinds() == [("manifest", "models:/de-en/1")]
    (folder / "model" / "manifest.json").unlink()
    assert kinds() == [("manifest", "models:/de-en/1")]
    shutil.rmtree(folder / "model")
    assert kinds() == [("folder", "models:/de-en/1")]
    registry.delete_model("de-en/1")
    assert kinds() == []
    shutil.rmtree(folder)
    assert kinds() == [("folder", run_id)]
    registry.delete_run(run_id)
    assert kinds() == []


@pytest.mark.usefixtures("run_id")
def test_what_the_database_should_not_say(registry: Registry, url: str, kinds: Kinds) -> None:
    registry.add_model("x", "t", None, "/x", "", [])
    registry.set_alias("x", 1, "champion")
    execute(
        url,
        "UPDATE models SET version = 3 WHERE name = 'de-en'",
        "UPDATE models SET deleted_at = '2026-11-21 00:00:00' WHERE name = 'x'",
    )

    assert kinds() == [
        ("version", "models:/de-en"),
        ("alias", "x@champion"),
        ("reference", "a"),
        ("record", "a"),
    ]


def test_damage_of_a_file(sqlite: str, file: Path) -> None:
    with Registry(sqlite) as registry:
        registry.add_model(
            "a", "t", None, "/x", "", [Score(metric="b", value=1, split="", step=1, signature="")]
        )
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE scores SET model_id = 77")
    broken = [finding for finding in check(sqlite) if finding.kind == "reference"]
    assert [finding.about for finding in broken] == ["database"]
    assert "row 1 of scores speaks of a row of models that is gone" in broken[0].found
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    file.write_bytes(content)

    [finding] = check(sqlite)

    assert (finding.kind, finding.about) == ("damage", "database")
    assert finding.advice.startswith("seqloom registry rebuild")


def test_a_record_that_differs_is_written_anew(
    registry: Registry, run_id: str, folder: Path, kinds: Kinds, url: str
) -> None:
    whole = (folder / mirror.FILE).read_bytes()
    registry.tag_run(run_id, {"team": "mt"})
    newer = (folder / mirror.FILE).read_bytes()

    def spoilt_by(content: bytes) -> list[Finding]:
        (folder / mirror.FILE).write_bytes(content)
        found = list(check(url))
        assert [(one.kind, one.about, one.is_mended) for one in found] == [("record", "a", False)]
        assert [one.is_mended for one in check(url, mend=True)] == [True]
        assert (folder / mirror.FILE).read_bytes() == newer
        assert kinds() == []
        return found

    for content in (whole, newer + b'{"scores": ', b"", b"{}\n"):
        spoilt_by(content)
    (folder / mirror.FILE).unlink()
    assert [one.found for one in check(url)] == [
        f"it has no {mirror.FILE} in its folder, which a rebuild would need"
    ]


def test_a_record_that_cannot_be_written_is_told(
    registry: Registry, run_id: str, folder: Path, url: str
) -> None:
    (folder / mirror.FILE).unlink()
    (folder / f".{mirror.FILE}.new").mkdir()

    [finding] = check(url, mend=True)

    assert (finding.about, finding.is_mended) == (run_id, False)
    assert finding.found.endswith("and cannot be written: Is a directory")


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """As a training holds its folder."""
    with (folder / LOCK).open("wb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def test_a_training_whose_process_is_gone(
    registry: Registry, run_id: str, folder: Path, kinds: Kinds
) -> None:
    registry.reopen_run(run_id)
    with held(folder):
        assert kinds() == kinds(mend=True) == []
    assert kinds() == [("gone", run_id)]
    (folder / WAITING).write_text("{}\n")
    assert kinds(mend=True) == [("waiting", run_id)]
    assert registry.run(run_id).status == "running"
    (folder / WAITING).unlink()

    assert kinds(mend=True) == [("gone", run_id)]

    run = registry.run(run_id)
    assert (run.status, run.error) == ("interrupted", "its process is gone")
    assert kinds() == []


def test_all_that_runs_holds_its_folder(registry: Registry, facts: Facts, folder: Path, url: str) -> None:
    registry.start_run(**{**facts, "kind": "decode"}, id="d", folder=str(folder))
    with held(folder):
        assert list(check(url)) == []

    [finding] = check(url)

    assert (finding.kind, finding.about) == ("gone", "d")
    assert finding.advice == "run it again, or seqloom registry check --mend to say that it was interrupted"


def test_what_waits_is_what_a_ledger_keeps() -> None:
    assert WAITING == FILE


def test_another_run_may_have_counted_the_same_data(
    registry: Registry, run_id: str, facts: Facts, folder: Path, kinds: Kinds
) -> None:
    from dataclasses import replace

    other = registry.start_run(**facts)
    registry.add_data(other.id, [replace(facts["data"][0], rows=9)])

    assert registry.run(run_id).data[0].rows == 9
    assert kinds() == []
