"""Bits that flip and files that lose their end: no checkpoint and no model is used with them."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from seqloom.catalog import Catalog
from seqloom.checkpoint import Checkpoints
from seqloom.errors import CorruptError
from seqloom.registry.records import Model
from seqloom.registry.store import Registry
from seqloom.site import Site, open_model
from seqloom.storage import verify_folder

pytestmark = pytest.mark.slow
Damage = Callable[[Path, random.Random], None]


def flip(file: Path, rng: random.Random) -> None:
    """Turns one bit."""
    with file.open("r+b") as stream:
        place = rng.randrange(file.stat().st_size)
        stream.seek(place)
        (byte,) = stream.read(1)
        stream.seek(place)
        stream.write(bytes([byte ^ 1 << rng.randrange(8)]))


def truncate(file: Path, rng: random.Random) -> None:
    """Takes its last byte, or more of its end."""
    size = file.stat().st_size
    with file.open("r+b") as stream:
        stream.truncate(rng.choice([size - 1, rng.randrange(size)]))


def damaged(folder: Path, damage: Damage, count: int) -> Iterator[Path]:
    """Damages the files of a folder in turn, one at a time."""
    rng = random.Random(1)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for number in range(count):
        file = files[number % len(files)]
        good = file.read_bytes()
        damage(file, rng)
        assert file.read_bytes() != good
        yield file
        file.write_bytes(good)
    verify_folder(folder)


def is_named(file: Path, message: str) -> bool:
    """Whether a message names the file; a manifest with a wrong sum accuses the file that it is of."""
    return str(file) in message or (file.name == "manifest.json" and str(file.parent) in message)


COUNTS = pytest.mark.parametrize(
    ("damage", "count"),
    [
        (flip, 40),
        (truncate, 12),
        pytest.param(flip, 1000, marks=pytest.mark.faults),
        pytest.param(truncate, 100, marks=pytest.mark.faults),
    ],
)


def record(place: Any) -> Model:
    """The model that a real training made."""
    with Registry(place.registry) as registry:
        return registry.model("models:/reverser/1")


@COUNTS
def test_a_damaged_checkpoint_is_passed_over(
    trained: Any, tmp_path: Path, damage: Damage, count: int
) -> None:
    shutil.copytree(Path(record(trained).folder).parent / "checkpoints", tmp_path / "checkpoints")
    told: list[str] = []
    checkpoints = Checkpoints(tmp_path / "checkpoints", told.append)
    *_, older, newest = checkpoints.steps()
    assert checkpoints.newest() == newest
    for file in damaged(checkpoints.path(newest), damage, count):
        assert checkpoints.newest() == older
        assert is_named(file, told.pop())
    assert checkpoints.newest() == newest


@COUNTS
def test_a_damaged_model_is_not_opened(
    trained: Any, tmp_path: Path, catalog: Catalog, damage: Damage, count: int
) -> None:
    made = record(trained)
    folder = tmp_path / "model"
    shutil.copytree(made.folder, folder)
    with Registry(f"sqlite:///{tmp_path / 'registry.db'}") as registry:
        site = Site(catalog, registry, tmp_path)
        uri = registry.add_model(made.name, made.task, None, str(folder), made.sha256, made.scores).uri
        for file in damaged(folder, damage, count):
            with pytest.raises(CorruptError) as refused:
                open_model(uri, site)
            assert is_named(file, str(refused.value))
        assert open_model(uri, site).steps == 300
