"""Whoever is killed in the middle of a rebuild or a backup leaves the old one or the new one, and no third."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from seqloom.errors import StorageError
from seqloom.registry.rebuilding import rebuild
from seqloom.registry.records import Score
from seqloom.registry.store import Registry

pytestmark = pytest.mark.slow
LONG = pytest.mark.faults
ALL = "os.rename,os.link,os.remove,open,flush,statement"
Strike = Callable[[str, Path, str, int], int]


@pytest.fixture(scope="module")
def strike(parent: Any) -> Strike:
    """``strike("rebuild", folder, kinds, number)``: the exit code of one killed there; see rebuilder.py."""
    rebuilder = parent("rebuilder.py")

    def act(action: str, folder: Path, kinds: str, number: int) -> int:
        rebuilder.wake(rebuilder.child(f"{action} {folder} {kinds} {number}"))
        return int(rebuilder.exit_code())

    return act


def facts_of(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    with Registry(f"sqlite:///{file}") as registry:
        found = [repr(record) for record in (*registry.runs(), *registry.models(deleted=True))]
        return [*found, *map(repr, registry.alias_history("m"))]


@pytest.fixture
def place(tmp_path: Path) -> tuple[Callable[[], Path], list[str]]:
    """Makes the same folder anew: a registry, with its log, and two runs; and what is in the registry."""
    kept, copy = tmp_path / "kept", tmp_path / "place"
    facts = {"kind": "train", "name": "m", "task": "t", "config": {}, "seed": 1, "device": "cpu"}
    with Registry(f"sqlite:///{tmp_path}/registry.db") as registry:
        for name in "ab":
            folder = copy / "runs" / name
            folder.mkdir(parents=True)
            run = registry.start_run(
                **facts, id=name, device_reason="", versions={}, data=[], folder=str(folder)
            )
            registry.add_scores(run.id, [Score(metric="b", value=1, split="", step=1, signature="")])
            registry.add_model("m", "t", run.id, str(folder / "model"), "", [])
        registry.set_alias("m", 2, "champion")
        copy.rename(kept)
        for end in ("", "-wal"):
            shutil.copy2(tmp_path / f"registry.db{end}", kept / f"registry.db{end}")
        before = [repr(record) for record in (*registry.runs(), *registry.models(deleted=True))]
        before += map(repr, registry.alias_history("m"))

    def make() -> Path:
        shutil.rmtree(copy, ignore_errors=True)
        return Path(shutil.copytree(kept, copy))

    return make, before


def damaged(folder: Path) -> Path:
    """The folder, with a registry that cannot be read any more."""
    file = folder / "registry.db"
    content = bytearray(file.read_bytes())
    content[16:] = b"\xff" * (len(content) - 16)
    file.write_bytes(content)
    return folder


def digests(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.is_file() and not path.name.endswith((".lock", "points"))
    }


def points(strike: Strike, action: str, folder: Path, kinds: str) -> range:
    assert strike(action, folder, kinds, 0) == 0
    return range(1, 1 + json.loads((folder / "points").read_text()))


@pytest.mark.parametrize("kinds", ["os.link,os.rename,flush", pytest.param(ALL, marks=LONG)])
def test_killed_anywhere_in_a_rebuild(
    strike: Strike, place: tuple[Callable[[], Path], list[str]], kinds: str
) -> None:
    make, before = place
    old = digests(damaged(make()))
    found = []
    for number in points(strike, "rebuild", damaged(make()), kinds):
        folder = damaged(make())
        assert strike("rebuild", folder, kinds, number) == -signal.SIGKILL
        is_old = digests(folder)["registry.db"] == old["registry.db"]
        if not is_old:
            assert facts_of(folder / "registry.db") == before
        with suppress(StorageError):  # it is done
            rebuild(f"sqlite:///{folder / 'registry.db'}", [folder / "runs"])
        assert facts_of(folder / "registry.db") == before
        kept = {name: value for name, value in digests(folder).items() if name.endswith(".damaged")}
        assert kept == {"registry.db.damaged": old["registry.db"]}
        names = {path.name for path in folder.iterdir()}
        assert not [name for name in names if ".new" in name and not is_old], number
        found.append(is_old)
    print(f"rebuild: killed at {len(found)} points: {found.count(True)} times the old one was there")
    assert set(found) == {True, False}


@pytest.mark.parametrize("kinds", ["os.rename", pytest.param(ALL, marks=LONG)])
def test_killed_anywhere_in_a_backup(
    strike: Strike, place: tuple[Callable[[], Path], list[str]], kinds: str
) -> None:
    make, before = place
    found = []
    for number in points(strike, "backup", make(), kinds):
        folder = make()
        assert strike("backup", folder, kinds, number) == -signal.SIGKILL
        is_there = (folder / "copy.db").exists()
        if is_there:
            assert facts_of(folder / "copy.db") == before
        assert facts_of(folder / "registry.db") == before
        found.append(is_there)
    print(f"backup: killed at {len(found)} points: {found.count(True)} times it was there")
    assert found.count(False) > 0
