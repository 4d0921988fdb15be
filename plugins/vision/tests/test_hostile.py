"""Two hundred broken or hostile files are two hundred errors that name them."""

from __future__ import annotations

import os
import random
from pathlib import Path

import hostile
import pytest

from seqloom.errors import DataError
from seqloom_vision.reading import read_picture

FILES = hostile.files()


def test_they_are_two_hundred() -> None:
    assert len(dict(FILES)) == hostile.COUNT
    assert hostile.files() == FILES


@pytest.mark.parametrize(("name", "data"), FILES, ids=[name for name, _ in FILES])
def test_it_is_refused_by_name(name: str, data: bytes, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_bytes(data)
    with pytest.raises(DataError) as raised:
        read_picture(str(file), "RGB", (16, 16))
    assert str(raised.value).startswith(f"{file}: ")
    assert "object at 0x" not in str(raised.value)


def mutated(data: bytes, random_: random.Random) -> bytes:
    """A file with some of its bytes changed."""
    broken = bytearray(data)
    for _ in range(random_.randint(1, 6)):
        broken[random_.randrange(len(broken))] = random_.randrange(256)
    return bytes(broken)


def check_mutations(tmp_path: Path, count: int, seed: int) -> None:
    random_, told = random.Random(seed), []
    for number in range(count):
        form, data = random_.choice(list(hostile.whole().items()))
        file = tmp_path / f"{number}{hostile.SUFFIXES[form]}"
        file.write_bytes(mutated(data, random_))
        try:
            assert read_picture(str(file), "RGB", (16, 16)).mode == "RGB"
        except DataError as error:
            told.append(str(error))
            assert told[-1].startswith(f"{file}: ")
    assert told


def test_any_change_leaves_a_picture_or_an_error(tmp_path: Path) -> None:
    check_mutations(tmp_path, 300, seed=1)


@pytest.mark.faults
def test_any_of_many_changes_leaves_a_picture_or_an_error(tmp_path: Path) -> None:
    check_mutations(tmp_path, 10_000, seed=2)


def test_what_is_no_plain_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    for name in ("pipe.png", "folder.png", "nothing.png", "pipe.png/inside.png"):
        with pytest.raises(DataError, match=name):
            read_picture(str(tmp_path / name))
