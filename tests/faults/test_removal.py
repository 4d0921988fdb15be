"""Whoever is killed while files go or come leaves nothing half; what is taken back meanwhile is not lost."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import threading
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from seqloom.collection import collect_waste
from seqloom.errors import ConfigError
from seqloom.registry.store import Registry
from seqloom.storage import verify_folder
from seqloom.transfer import check_model, export_file, import_file

LONG = pytest.mark.faults
Shelf = Any
Keeper = Any
CHAMPION = "de-en/1"
"""Held by an alias, in the folder of a run that is deleted."""


@pytest.fixture(scope="module")
def keeper(struck: Any) -> Keeper:
    """Collects and imports."""
    return struck("keeper.py")


class Scene:
    """A registry and its folders, which can be put back to how they were.

    Args:
        shelf: Both.
    """

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.kept = shelf.folder.with_name(shelf.folder.name + "-kept")
        shelf.registry.close()
        shutil.copytree(shelf.folder, self.kept)

    def restore(self) -> None:
        """Puts all back."""
        self.shelf.registry.close()
        shutil.rmtree(self.shelf.folder)
        shutil.copytree(self.kept, self.shelf.folder)

    @property
    def line(self) -> str:
        return f"{self.shelf.url} {self.shelf.runs}"

    def open(self) -> Registry:
        """The registry, once it is seen to be sound."""
        with closing(sqlite3.connect(self.shelf.folder / "registry.db")) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return Registry(self.shelf.url)


def check_half_collected(scene: Scene) -> int:
    """Looks at what a killed collection left, and lets another one finish; how many models were given up."""
    with scene.open() as registry:
        check_model(registry.model(CHAMPION))
        models = registry.deleted_models()
        for model in models:
            if model.purged_at is None:  # it may be taken back, so it has to be whole
                check_model(model)
        by_now = datetime.now(UTC) + timedelta(seconds=1)
        assert all(one.obstacle is None for one in collect_waste(registry, scene.shelf.runs, by_now))
        check_model(registry.model("de-en@champion"))
        assert all(one.purged_at for one in (*registry.deleted_models(), *registry.deleted_runs()))
        run = Path(registry.model(CHAMPION).folder).parent
        assert set(scene.shelf.runs.iterdir()) == {run}
        assert {path.name for path in run.iterdir()} == {"model", ".lock"}
        assert [path for path in scene.shelf.folder.iterdir() if "elsewhere" in path.name] == []
        assert list(collect_waste(registry, scene.shelf.runs, by_now)) == []
    return sum(model.purged_at is not None for model in models)


def check_half_imported(scene: Scene) -> str:
    """Looks at what a killed import left, and imports once more; what the killed one had come to."""
    with scene.open() as registry:
        models = registry.models()
        assert len(models) == len(registry.runs()) in {1, 2}
        for model in models:
            check_model(model)
        known = {run.id for run in registry.runs()}
        strange = [
            path for path in scene.shelf.runs.iterdir() if path.name[0] != "." and path.name not in known
        ]
        for folder in strange:  # killed between its last rename and the registry
            verify_folder(folder / "model")
        again = import_file(registry, scene.shelf.runs, scene.shelf.folder / "a.tar").model
        assert again.version == len(models) + 1
        check_model(again)
        there = {path.name for path in scene.shelf.runs.iterdir()}
        assert there == {".imports"} | {run.id for run in registry.runs()}
    return "whole, and unknown" if strange else "whole" if len(models) == 2 else "nothing"


def deletes(shelf: Shelf) -> None:
    """de-en/1 is the champion, 2 and 3 are deleted, and so are the runs of 1 and 3; 2 lies elsewhere."""
    first = shelf.model()
    place = shelf.folder / "elsewhere"
    digest = shelf.write_model(place)
    shelf.registry.add_model("de-en", "translation", None, str(place), digest, [])
    third = shelf.model()
    shelf.registry.set_alias("de-en", 1, "champion")
    for uri in ("de-en/2", "de-en/3"):
        shelf.registry.delete_model(uri)
    for model in (first, third):
        shelf.registry.delete_run(model.run_id)


def exports(shelf: Shelf) -> None:
    export_file(shelf.registry, shelf.model(), shelf.folder / "a.tar")


ACTS = {
    "collect": (deletes, "collect {}", check_half_collected),
    "import": (exports, "import {} {folder}/a.tar", check_half_imported),
}
ALL = ""
SOME = (("collect", "rename"), ("import", "rename fdatasync"))
"""System calls between which the disk changes its mind: those that are struck where time is short."""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="to strike a system call takes strace")
@pytest.mark.parametrize(
    ("act", "calls"), [*SOME, *(pytest.param(act, ALL, marks=LONG, id=f"{act} everywhere") for act in ACTS)]
)
def test_killed_anywhere(keeper: Keeper, shelf: Shelf, act: str, calls: str) -> None:
    begin, words, check = ACTS[act]
    begin(shelf)
    scene = Scene(shelf)
    line = words.format(scene.line, folder=shelf.folder)
    points = keeper.points(line)
    found: Counter[Any] = Counter()
    for call, number in points:
        if calls == ALL or call in calls.split():
            scene.restore()
            assert keeper.strike(line, call, str(number), "signal=KILL") == -signal.SIGKILL, (call, number)
            found[check(scene)] += 1
    print(f"{act}: {found.total()} points of {len(points)}; it had come to {dict(found)}")
    assert len(found) > 1


# Taken back at the same time ---------------------------------------------------------------------------


def test_nobody_who_takes_a_model_back_loses_it(shelf: Shelf) -> None:
    take_back(shelf, count=12)


@LONG
def test_nobody_of_many_who_take_models_back_loses_one(shelf: Shelf) -> None:
    take_back(shelf, count=300)


def take_back(shelf: Shelf, count: int) -> None:
    """Two collect from the first on, and one takes back from the last on and names each the champion."""
    models = [shelf.model() for _ in range(count)]
    for model in models:
        shelf.registry.delete_model(model.uri)
    shelf.registry.close()
    some_went, some_came = threading.Event(), threading.Event()
    kept: set[int] = set()

    def collect() -> None:
        with Registry(shelf.url) as registry:
            for _ in collect_waste(registry, shelf.runs, datetime.now(UTC)):
                some_went.set()
                some_came.wait(timeout=60)

    threads = [threading.Thread(target=collect) for _ in range(2)]
    for thread in threads:
        thread.start()
    with Registry(shelf.url) as registry:
        some_went.wait(timeout=60)
        for model in reversed(models):
            try:
                registry.restore_model(model.uri)
                registry.set_alias(model.name, model.version, f"champion-{model.version}")
            except ConfigError:  # it was too late
                continue
            kept.add(model.version)
            some_came.set()
        for thread in threads:
            thread.join()
        for model in models:
            row = registry.model(model.uri)
            if model.version in kept:
                assert (row.deleted_at, row.purged_at) == (None, None)
                check_model(row)
            else:
                assert row.purged_at is not None
                assert not Path(row.folder).exists()
    print(f"{len(kept)} of {count} were taken back in time")
    assert 0 < len(kept) < count
