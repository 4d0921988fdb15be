from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from filelock import FileLock
from typer.testing import Result

from seqloom.ledger import Ledger
from seqloom.registry import mirror
from seqloom.registry.folders import WAITING
from seqloom.registry.holding import LOCK
from seqloom.registry.records import Score
from seqloom.registry.store import Registry
from seqloom.registry.tables import SCHEMA

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SCHEMAS = Path(__file__).parents[1] / "registry" / "schemas"
Command = Callable[..., Result]


@pytest.fixture
def command(seqloom: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs ``seqloom registry ...`` in the test's folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("SEQLOOM_REGISTRY", "SEQLOOM_RUNS"):
        monkeypatch.delenv(name, raising=False)
    return lambda *words, code=0: seqloom("registry", *words, code=code)


@pytest.fixture
def used(tmp_path: Path) -> Registry:
    """A registry with a run, which has a folder, and two versions of a model."""
    facts = {"kind": "train", "name": "m", "task": "t", "config": {}, "seed": 1, "device": "cpu"}
    with Registry(f"sqlite:///{tmp_path}/registry.db", clock=lambda: NOON) as registry:
        (tmp_path / "runs" / "a").mkdir(parents=True)
        folder = str(tmp_path / "runs" / "a")
        registry.start_run(**facts, id="a", device_reason="", versions={}, data=[], folder=folder)
        registry.add_scores("a", [Score(metric="b", value=1, split="s", step=1, signature="")])
        registry.end_run("a", "finished")
        for _ in range(2):
            registry.add_model("m", "t", None, "/x", "", [])
        registry.delete_model("m/2")
    return registry


def told(result: Result) -> list[list[str]]:
    """The rows of a table, cells apart."""
    return [re.split(r"  +", line.strip()) for line in result.stdout.splitlines()]


@pytest.mark.usefixtures("used")
def test_info(command: Command, tmp_path: Path) -> None:
    rows = dict(told(command("info")))

    assert rows["registry"] == "sqlite:///registry.db"
    assert rows["database"] == f"SQLite {sqlite3.sqlite_version}"
    assert rows["schema"] == f"{SCHEMA}, the newest"
    assert rows["size"].endswith(" MiB")
    assert rows["runs"] == "1 (train finished 1)"
    assert (rows["models"], rows["versions"]) == ("1", "2")
    assert rows["scores"] == "1"
    assert rows["deleted"] == "runs 0, models 1"
    found = json.loads(command("info", "--json").stdout)
    assert (found["state"], found["counts"]["models"], found["newest_run"]) == ("newest", 2, "a")
    assert found["bytes"] >= (tmp_path / "registry.db").stat().st_size


def test_info_makes_nothing(command: Command, tmp_path: Path) -> None:
    assert told(command("info"))[-1] == ["schema", "there is no registry yet; the first job makes it"]
    assert list(tmp_path.iterdir()) == []


def older(tmp_path: Path, schema: str) -> Path:
    with closing(sqlite3.connect(tmp_path / "registry.db")) as connection:
        connection.executescript((SCHEMAS / f"{schema}.sql").read_text())
    return tmp_path / "registry.db"


@pytest.mark.parametrize("schema", ["0001", "0003"])
def test_an_older_registry_is_seen_and_upgraded(command: Command, tmp_path: Path, schema: str) -> None:
    file = older(tmp_path, schema)
    before = file.read_bytes()
    known = f"this Seqloom knows up to {SCHEMA}"

    assert ["schema", f"{schema}, and {known}: seqloom registry upgrade"] in told(command("info"))
    assert json.loads(command("info", "--json").stdout)["newest_run"].startswith("20261121")
    failed = command("check", code=74)
    assert f"has schema {schema}; first: seqloom registry upgrade" in failed.stderr
    dry = command("upgrade", "--dry-run")
    assert [row[0] for row in told(dry)] == [
        "schema",
        *(f"{number:04}" for number in range(int(schema) + 1, int(SCHEMA) + 1)),
    ]
    assert f"has schema {schema}; nothing was changed" in dry.stderr
    assert file.read_bytes() == before

    done = command("upgrade")

    copy = tmp_path / f"registry.db.{schema}.bak"
    assert f"had schema {schema}, and has {SCHEMA}; a copy of it as it was is {copy}" in done.stderr
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT version_num FROM seqloom_schema").fetchall() == [(schema,)]
    assert f"has schema {SCHEMA}, the newest" in command("upgrade").stderr


@pytest.mark.usefixtures("used")
def test_a_newer_registry_is_seen_and_left(command: Command, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "registry.db")) as connection, connection:
        connection.execute("UPDATE seqloom_schema SET version_num = '9999'")

    rows = dict(told(command("info")))

    assert rows["schema"] == f"9999, and this Seqloom knows up to {SCHEMA}: pip install --upgrade seqloom"
    assert rows["newest run"] == "a"
    assert "this Seqloom" in command("upgrade", code=74).stderr


def test_where_there_is_none(command: Command) -> None:
    for words in (["upgrade"], ["check"]):
        result = command(*words, code=74)
        assert "there is no registry at sqlite:///registry.db; the first job makes it" in result.stderr
    assert "there is nothing to back up" in command("backup", "copy.db", code=74).stderr


@pytest.mark.usefixtures("used")
def test_backup_is_a_registry(command: Command, tmp_path: Path) -> None:
    result = command("backup", "copy.db")

    assert result.stderr.startswith("copy.db is whole (")
    with Registry(f"sqlite:///{tmp_path}/copy.db") as copy:
        assert [run.id for run in copy.runs()] == ["a"]
    refused = command("backup", "copy.db", code=2)
    assert "copy.db is there already, and is left as it is; name another file" in refused.stderr
    assert "make room there, and the folder writable" in command("backup", "nowhere/b.db", code=74).stderr


@pytest.mark.usefixtures("used")
def test_check_tells_and_mends(command: Command, tmp_path: Path) -> None:
    model = "models:/m/1: its folder /x is not there; put it back, or: seqloom models rm m/1"
    assert command("check", code=74).stdout.splitlines() == [model]
    (tmp_path / "runs" / "a" / mirror.FILE).unlink()
    lacks = "a: it has no record.jsonl in its folder, which a rebuild would need"

    assert command("check", code=74).stdout.splitlines() == [
        model,
        f"{lacks}; seqloom registry check --mend writes it anew",
    ]
    assert command("check", "--mend", code=74).stdout.splitlines() == [model, f"{lacks}; mended"]
    [found] = json.loads(command("check", "--json", code=74).stdout)
    assert (found["kind"], found["about"], found["is_mended"]) == ("folder", "models:/m/1", False)
    with Registry(f"sqlite:///{tmp_path}/registry.db") as registry:
        registry.delete_model("m/1")
    assert command("check").stderr == "sqlite:///registry.db is as it should be\n"
    assert json.loads(command("check", "--json").stdout) == []


def wait(tmp_path: Path) -> None:
    """Leaves in the run's folder what a training could not tell."""
    with Registry(f"sqlite:///{tmp_path}/registry.db") as registry:
        run = registry.reopen_run("a")
    (tmp_path / "no folder").write_text("")
    ledger = Ledger(Registry(f"sqlite:///{tmp_path}/no folder/registry.db"), run, lambda _: None)
    ledger.add_model(tmp_path / "model", "c0ffee", [])
    ledger.end("finished", None)
    assert (tmp_path / "runs" / "a" / WAITING).exists()


@pytest.mark.usefixtures("used")
def test_check_enters_what_waits(command: Command, tmp_path: Path) -> None:
    wait(tmp_path)
    assert "a: what it could not tell the registry waits in" in command("check", code=74).stdout

    mended = command("check", "--mend", code=74)

    assert "run a: what waited in its folder is told" in mended.stderr
    with Registry(f"sqlite:///{tmp_path}/registry.db") as registry:
        assert (registry.run("a").status, registry.run("a").model) == ("finished", "models:/m/3")
    assert "waits in" not in command("check", code=74).stdout


@pytest.mark.usefixtures("used")
def test_rebuild_makes_a_lost_registry_anew(command: Command, tmp_path: Path) -> None:
    wait(tmp_path)
    for end in ("", "-wal", "-shm"):
        (tmp_path / f"registry.db{end}").unlink(missing_ok=True)

    result = command("rebuild")

    assert "run a: what waited in its folder is told" in result.stderr
    assert "made anew: runs 1, versions of models 0" in result.stderr
    with Registry(f"sqlite:///{tmp_path}/registry.db") as registry:
        [run] = registry.runs()
        assert (run.status, run.model, len(run.scores)) == ("finished", "models:/m/1", 1)
    assert not (tmp_path / "runs" / "a" / WAITING).exists()
    assert "is not damaged and has something in it" in command("rebuild", code=74).stderr
    command("rebuild", "--to", "sqlite:///other.db", "--runs", tmp_path / "runs")
    with Registry(f"sqlite:///{tmp_path}/other.db") as other:
        assert other.run("a") == run
    (tmp_path / "registry.db").write_text("no database" * 100)
    assert "the damaged registry is" in command("rebuild").stderr
    (tmp_path / "registry.db").write_text("no database" * 100)
    assert "cannot read it as a folder of runs" in command("rebuild", "--runs", "nowhere", code=74).stderr


@pytest.mark.usefixtures("used")
def test_what_goes_on_tells_itself(command: Command, tmp_path: Path) -> None:
    wait(tmp_path)
    (tmp_path / "registry.db").unlink()

    with FileLock(tmp_path / "runs" / "a" / LOCK):
        result = command("rebuild")

    assert "runs/a/registry.jsonl: another process is at work in" in result.stdout
    assert (tmp_path / "runs" / "a" / WAITING).exists()
