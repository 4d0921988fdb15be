"""Sixty broken or hostile files are sixty errors that name them; any other change breaks no process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import hostile_sound
import pytest

from seqloom.errors import DataError, StorageError
from seqloom_audio.reading import read_sound

FILES = hostile_sound.files()


def test_they_are_sixty() -> None:
    assert len(FILES) == len(dict(FILES)) == hostile_sound.COUNT


@pytest.mark.parametrize(("name", "data"), FILES, ids=[name for name, _ in FILES])
def test_it_is_refused_by_name(name: str, data: bytes, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_bytes(data)
    with pytest.raises(DataError) as raised:
        read_sound(str(file), 16_000)
    assert str(raised.value).startswith(f"{file}: ")
    assert "object at 0x" not in str(raised.value)


def check_mutations(tmp_path: Path, count: int, seed: int) -> None:
    script = Path(__file__).with_name("mutations.py")
    done = subprocess.run(
        [sys.executable, script, tmp_path, str(count), str(seed)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.returncode}: {done.stderr[-2000:]}"
    read, refused = map(int, done.stdout.split())
    assert read + refused == count
    assert min(read, refused) > count / 10


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded as Linux does it")
def test_any_change_leaves_sound_or_an_error(tmp_path: Path) -> None:
    check_mutations(tmp_path, 300, seed=1)


@pytest.mark.faults
@pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded as Linux does it")
@pytest.mark.parametrize("seed", range(4))
def test_any_of_many_changes_leaves_sound_or_an_error(seed: int, tmp_path: Path) -> None:
    check_mutations(tmp_path, 2_500, seed)


def test_what_is_no_plain_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "folder.wav").mkdir()
    for name in ("pipe.wav", "folder.wav", "nothing.wav", "pipe.wav/inside.wav"):
        with pytest.raises(DataError, match=name):
            read_sound(str(tmp_path / name), 16_000)
    with pytest.raises(StorageError, match=r"cannot read it: File name too long"):
        read_sound(str(tmp_path / f"{'a' * 300}.wav"), 16_000)
