"""Sound comes mono, at the model's rate, in 16 bits, whatever its files are like."""

from __future__ import annotations

import errno
import io
import os
import tarfile
import threading
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from numpy.typing import NDArray
from sounds import KINDS, encoded, noise, sweep, write
from torch import Tensor

from seqloom.errors import DataError, StorageError
from seqloom_audio import recording
from seqloom_audio.reading import read_sound

RATE = 16_000
LOSSY = 0.03  # of full scale, on average: what a lossy format may change


def read(tmp_path: Path, data: bytes, name: str = "sound", fragment: str = "", **options: Any) -> Tensor:
    file = tmp_path / name
    file.write_bytes(data)
    return read_sound(f"{file}{fragment}", **{"rate_hz": RATE} | options)


def distance(found: Tensor, wanted: NDArray[Any]) -> float:
    assert found.dtype == torch.int16
    assert found.shape == wanted.shape
    return float(np.abs(found.numpy() / 32768 - wanted).mean())


# Formats ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_each_format_is_read(kind: str, tmp_path: Path) -> None:
    found = read(tmp_path, encoded(sweep(), kind), f"sound.{kind.upper()}")
    assert distance(found, sweep()) < (1e-4 if kind in ("wav", "flac") else LOSSY)


@pytest.mark.parametrize(
    ("subtype", "lost"),
    [
        ("PCM_U8", 0.01),
        ("PCM_16", 1e-4),
        ("PCM_24", 1e-4),
        ("PCM_32", 1e-4),
        ("FLOAT", 1e-4),
        ("DOUBLE", 1e-4),
        ("ALAW", 0.01),
        ("ULAW", 0.01),
    ],
)
def test_a_wav_of_each_kind(subtype: str, lost: float, tmp_path: Path) -> None:
    assert distance(read(tmp_path, encoded(sweep(), subtype=subtype)), sweep()) < lost


def test_sixteen_bits_are_kept(tmp_path: Path) -> None:
    samples = torch.randint(-32768, 32768, (1000,), dtype=torch.int16)
    assert torch.equal(read(tmp_path, encoded(samples.numpy())), samples)


def test_an_extensible_wav(tmp_path: Path) -> None:
    data = encoded(np.stack([sweep()] * 3, 1), "wav")
    kind = data.index(b"fmt ") + 8
    assert data[kind : kind + 2] == b"\1\0"
    extensible = b"\xfe\xff" + data[kind + 2 : kind + 16] + b"\x16\0\x10\0\7\0\0\0\1\0"
    extensible += bytes.fromhex("000000001000800000aa00389b71")
    changed = data[: kind - 4] + len(extensible).to_bytes(4, "little") + extensible + data[kind + 16 :]
    assert distance(read(tmp_path, changed), sweep()) < 1e-4


def test_loud_floats_are_clipped(tmp_path: Path) -> None:
    found = read(tmp_path, encoded(np.array([-3.0, -1, 0, 1, 1e30]), subtype="FLOAT"))
    assert found.tolist() == [-32768, -32768, 0, 32767, 32767]


def test_a_name_that_says_nothing_may_be_any_of_them(tmp_path: Path) -> None:
    assert len(read(tmp_path, encoded(sweep(), "ogg"), "sound.dat")) == RATE


def test_tags_before_an_mp3(tmp_path: Path) -> None:
    tag = b"ID3\4\0\0\0\0\1\x48" + bytes(200)
    found = read(tmp_path, 2 * tag + encoded(sweep(), "mp3"), "sound.mp3")
    assert distance(found, sweep()) < LOSSY


def test_an_mp3_that_says_it_is_longer_is_cut_short(tmp_path: Path) -> None:
    data = encoded(sweep(), "mp3")
    with pytest.raises(
        DataError, match=r"sound\.mp3: cut short: it says that [\d,]+ bytes of sound follow"
    ):
        read(tmp_path, data[:-500], "sound.mp3")


def unknown(data: bytes) -> bytes:
    """A FLAC that does not say how long it is."""
    return data[:21] + bytes([data[21] & 0xF0]) + bytes(4) + data[26:]


def test_a_flac_that_does_not_say_how_long_it_is(tmp_path: Path) -> None:
    data = unknown(encoded(sweep(), "flac"))
    assert distance(read(tmp_path, data), sweep()) < 1e-4
    assert distance(read(tmp_path, data, fragment="#t=0.5,0.75"), sweep()[8000:12000]) < 1e-4
    with pytest.raises(DataError, match=r"sound: more than the 0\.5 s of sound that are read"):
        read(tmp_path, data, longest_s=0.5)
    with pytest.raises(DataError, match=r"sound#t=3: (there is no sound in it|damaged)"):
        read(tmp_path, data, fragment="#t=3")


def test_a_member_of_an_archive(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "talks.tar", "w") as tar:
        for name, data in (
            ("1.wav", encoded(sweep())),
            ("2.flac", encoded(sweep(), "flac")),
            ("3.wav", b"no"),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, BytesIO(data))
    talks = tmp_path / "talks.tar"
    for name in ("1.wav", "2.flac"):
        assert distance(read_sound(f"{talks}/{name}", RATE), sweep()) < 1e-4
        assert distance(read_sound(f"{talks}/{name}#t=0.5", RATE), sweep()[8000:]) < 1e-4
    with pytest.raises(DataError, match=r"talks\.tar/3\.wav: no WAV, FLAC, OGG or MP3"):
        read_sound(f"{talks}/3.wav", RATE)
    with pytest.raises(DataError, match=r"talks\.tar: the archive holds no plain file '4\.wav'"):
        read_sound(f"{talks}/4.wav", RATE)


class Failing(io.FileIO):
    """A file on a disk that is broken from some byte on."""

    def readinto(self, buffer: Any) -> int:
        if (left := 10_000 - self.tell()) <= 0:
            raise OSError(errno.EIO, "Input/output error")
        return super().readinto(memoryview(buffer)[:left])


def test_a_disk_that_fails_is_no_fault_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("wav", "flac"):
        file = tmp_path / f"sound.{kind}"
        file.write_bytes(encoded(noise(), kind))
        with monkeypatch.context() as patch:
            patch.setattr(Path, "open", lambda self, *_, **__: Failing(self))
            with pytest.raises(StorageError, match=rf"{file}: cannot read it: Input/output error"):
                read_sound(str(file), RATE)


# Segments -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_segment_is_that_part_of_the_whole(kind: str, tmp_path: Path) -> None:
    data = encoded(sweep(3.0), kind)
    whole = read(tmp_path, data)
    for fragment, first, last in (
        ("#t=1.25,1.5", 20_000, 24_000),
        ("#t=,0.5", 0, 8_000),
        ("#t=2.5", 40_000, 48_000),
        ("#t=2,99", 32_000, 48_000),
        ("#t=0.00001,0.00002", 0, 1),
    ):
        segment = read(tmp_path, data, fragment=fragment)
        assert len(segment) == last - first
        loudest = (segment.int() - whole[first:last].int()).abs().max()
        assert loudest <= (1 if kind == "mp3" else 300 if kind == "opus" else 0)


def test_a_segment_of_nothing_is_told(tmp_path: Path) -> None:
    data = encoded(sweep())
    with pytest.raises(DataError, match=r"sound#t=1: a segment from 1 s on, of a recording of 1 s"):
        read(tmp_path, data, fragment="#t=1")
    with pytest.raises(
        DataError, match=r"sound#t=0\.5,0\.5: a segment from 0\.5 s to 0\.5 s holds no sound"
    ):
        read(tmp_path, data, fragment="#t=0.5,0.5")
    with pytest.raises(DataError, match=r"a segment from inf s on, of a recording of 1 s"):
        read(tmp_path, data, fragment=f"#t={'9' * 400}")


# One segment after another ------------------------------------------------------------------------------


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many samples of each channel are decoded, block by block."""
    counts: list[int] = []
    plain = soundfile.SoundFile.read

    def counted(sound: soundfile.SoundFile, *args: Any, **options: Any) -> Any:
        block = plain(sound, *args, **options)
        counts.append(len(block))
        return block

    monkeypatch.setattr(soundfile.SoundFile, "read", counted)
    return counts


ORDERS = [
    [(0, 3), (3, 6), (6, 9)],
    [(0, 3), (2, 5), (5, 5.5), (5.2, 5.4), (4, 8)],
    [(1, 2), (7, 8), (3, 9.5), (9, 20)],
    [(6, 7), (0.5, 1), (0, 9)],
]
"""Beside each other, overlapping, with gaps, backwards."""


@pytest.mark.parametrize("segments", ORDERS)
@pytest.mark.parametrize("kind", ["flac", "mp3"])
def test_segments_come_in_any_order(
    kind: str, segments: list[tuple[float, float]], tmp_path: Path, decoded: list[int]
) -> None:
    file = write(tmp_path / f"long.{kind}", sweep(10.0))
    whole = read_sound(file, RATE)
    del decoded[:]
    for start, end in segments:
        found = read_sound(f"{file}#t={start},{end}", RATE)
        wanted = whole[round(start * RATE) : round(end * RATE)]
        assert torch.equal(found, wanted)
    if segments in ORDERS[:2] and kind == "mp3":
        assert sum(decoded) <= len(whole)  # each sample once


def test_an_mp3_that_changes_is_opened_anew(tmp_path: Path) -> None:
    file = Path(write(tmp_path / "a.mp3", sweep(4.0)))
    read_sound(f"{file}#t=0,1", RATE)
    file.unlink()
    write(file, noise(5.0))
    assert torch.equal(read_sound(f"{file}#t=1,2", RATE), read_sound(str(file), RATE)[RATE : 2 * RATE])
    read_sound(f"{file}#t=2,3", RATE)
    file.unlink()
    with pytest.raises(DataError, match=r"a\.mp3: there is no such file"):
        read_sound(f"{file}#t=3,4", RATE)


def test_a_torn_mp3_is_told_by_the_segment_that_is_not_there(tmp_path: Path) -> None:
    data = encoded(noise(8.0), "mp3")
    file = tmp_path / "a.mp3"
    file.write_bytes(data[: len(data) // 2] + bytes(len(data) - len(data) // 2))
    read_sound(f"{file}#t=0,1", RATE)
    read_sound(f"{file}#t=1,2", RATE)
    with pytest.raises(DataError, match=r"a\.mp3#t=2,7: damaged"):
        read_sound(f"{file}#t=2,7", RATE)
    read_sound(f"{file}#t=2,3", RATE)


def test_files_that_are_left_are_closed(tmp_path: Path) -> None:
    """Else the system's handles would run out, and Python would warn."""
    files = [write(tmp_path / f"{number}.mp3", sweep(2.0)) for number in range(4)]
    read_sound(write(tmp_path / "whole.mp3", sweep()), RATE)  # lets go of what other tests left
    before = open_files()
    for file in files:
        read_sound(f"{file}#t=0,1", RATE)
    assert len(open_files() - before) == 1
    thread = threading.Thread(target=read_sound, args=(f"{files[0]}#t=0,1", RATE))
    thread.start()
    thread.join()
    assert len(open_files() - before) == 1
    read_sound(f"{files[-1]}#t=1,2", RATE)  # to its end
    assert open_files() == before


def open_files() -> set[str]:
    """Recordings that this process has open."""
    links = (os.path.realpath(link) for link in Path("/proc/self/fd").iterdir())
    return {link for link in links if link.endswith(".mp3")}


# Names --------------------------------------------------------------------------------------------------


def test_a_file_may_have_any_name(tmp_path: Path) -> None:
    for name in ("a#1.wav", "a#t=x.wav", "#t=1,2.wav", "a#t=1 .wav"):
        assert len(read_sound(write(tmp_path / name, sweep()), RATE)) == RATE


def test_how_much_is_read_has_a_limit(tmp_path: Path) -> None:
    for kind in KINDS:
        data = encoded(sweep(2.0), kind)
        with pytest.raises(
            DataError, match=r"sound: 2\.0 s of sound, of at most 1\.5 that are read; cut it"
        ):
            read(tmp_path, data, longest_s=1.5)
        assert len(read(tmp_path, data, fragment="#t=0.5,1.75", longest_s=1.5)) == 20_000


# Channels -----------------------------------------------------------------------------------------------


def test_channels_are_mixed_or_one_is_chosen(tmp_path: Path) -> None:
    left, right = sweep(), noise()
    for kind in ("wav", "flac"):
        data = encoded(np.stack([left, right], 1), kind)
        assert distance(read(tmp_path, data), (left + right) / 2) < 1e-4
        assert distance(read(tmp_path, data, channel=0), left) < 1e-4
        assert distance(read(tmp_path, data, channel=1), right) < 1e-4
        with pytest.raises(
            DataError, match=r"sound: channel 2 was asked for, counted from 0, and there are 2"
        ):
            read(tmp_path, data, channel=2)


# Rates --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_other_rates_become_the_models(before: int, kind: str, tmp_path: Path) -> None:
    found = read(tmp_path, encoded(sweep(1.0, before), kind, before))
    assert distance(found[100:-100], sweep()[100:-100]) < 1e-3


@pytest.mark.parametrize("before", [4_000, 44_099, 192_001, 383_999])
def test_absurd_rates_are_read_too(before: int, tmp_path: Path) -> None:
    found = read(tmp_path, encoded(sweep(0.5, before), rate=before))
    assert abs(len(found) - RATE / 2) <= 2
    assert distance(found[100:7900], sweep(0.5)[100:7900]) < 3e-3


def test_blocks_leave_no_seams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = {kind: encoded(np.stack([sweep(1.0, 44_100)] * 2, 1), kind, 44_100) for kind in ("wav", "flac")}
    whole = {kind: read(tmp_path, content) for kind, content in data.items()}
    monkeypatch.setattr(recording, "BLOCK", 1000)
    for kind, content in data.items():
        assert (read(tmp_path, content).int() - whole[kind].int()).abs().max() <= 1
