"""Recordings are cut at their pauses; where there is none, with sound on both sides."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import talks
from numpy.typing import NDArray

from seqloom.errors import DataError
from seqloom_audio.segments import segment_of
from seqloom_speech.levels import FRAME_S, levels_of
from seqloom_speech.splitting import MARGIN_S, OVERLAP_S, Pieces, split

PAUSES = [4.0, 0.4] * 12
"""Speech and pauses of a minute."""


def cut(file: str, piece_s: float, pause_s: float = 3.0, channel: Any = "mix") -> list[str]:
    """The pieces of a recording; no pause within one ends it, unless told so."""
    return split(file, channel, Pieces(piece_s, pause_s))


def spans(raws: list[str]) -> list[tuple[float, float]]:
    """From when to when each piece goes."""
    segments = [segment_of(raw) for raw in raws]
    return [(segment.start_s, segment.end_s or float("nan")) for segment in segments]


def pause_of(cut: float, parts: list[float]) -> float | None:
    """The pause of a talk that a cut lies in, by when it begins; None where it lies in speech."""
    edges = np.cumsum([0, *parts])
    number = int(np.searchsorted(edges, cut)) - 1
    return float(edges[number]) if number % 2 else None


def check(pieces: list[tuple[float, float]], piece_s: float, seconds: float) -> None:
    """What holds of all pieces."""
    assert all(0 <= start < end <= seconds + FRAME_S for start, end in pieces)
    assert all(end - start <= piece_s + 1e-6 for start, end in pieces)
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(pieces))


@pytest.mark.parametrize("piece_s", [6, 10, 20])
@pytest.mark.parametrize("rate", [8000, 16_000, 11_025])
def test_cuts_are_in_the_middle_of_pauses(tmp_path: Path, piece_s: float, rate: int) -> None:
    file = talks.written(tmp_path / "talk.flac", talks.talk(PAUSES, rate), rate)
    pieces = spans(cut(file, piece_s))
    check(pieces, piece_s, sum(PAUSES))
    for (_, end), (start, _) in pairwise(pieces):
        assert end == start
        pause = pause_of(end, PAUSES)
        assert pause is not None
        assert end == pytest.approx(pause + 0.2, abs=0.05)
    assert len(pieces) == {6: 12, 10: 6, 20: 3}[piece_s]


def hiss(sound: NDArray[Any]) -> NDArray[Any]:
    return np.random.default_rng(7).normal(size=len(sound))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda sound: sound * 3e-3, id="very quiet"),
        pytest.param(lambda sound: sound * 3, id="clipped"),
        pytest.param(lambda sound: sound * 0.3 + 0.5, id="direct current"),
        pytest.param(lambda sound: np.stack([sound, sound * 0, sound * 0.1], 1), id="three channels"),
        pytest.param(lambda sound: sound + talks.talk([0, len(sound) / 16_000], noise=0.004), id="noisy"),
        pytest.param(lambda sound: sound + np.linspace(0, 0.01, len(sound)) * hiss(sound), id="noisier"),
        pytest.param(lambda sound: np.where(np.arange(len(sound)) % 48_000 == 0, 0.9, sound), id="clicks"),
    ],
)  # fmt: skip
def test_a_recording_may_sound_like_anything(tmp_path: Path, change: Any) -> None:
    plain = talks.written(tmp_path / "plain.wav", talks.talk(PAUSES))
    changed = talks.written(tmp_path / "changed.wav", change(talks.talk(PAUSES)).clip(-1, 1))
    wanted, found = spans(cut(plain, 10)), spans(cut(changed, 10))
    assert np.allclose(found, wanted, atol=0.05)


def test_the_channel_that_is_heard_is_cut(tmp_path: Path) -> None:
    sound = talks.talk(PAUSES)
    both = np.stack([talks.babble(len(sound) / talks.RATE, seed=9), sound], 1)
    file = talks.written(tmp_path / "talk.wav", both)
    assert all(pause_of(end, PAUSES) for _, end in spans(cut(file, 10, channel=1))[:-1])
    assert spans(cut(file, 10, channel=0)) != spans(cut(file, 10, channel=1))


def test_a_short_one_stays_as_it_is(tmp_path: Path) -> None:
    for seconds in (0.2, 9.9, 10.0):
        file = talks.written(tmp_path / f"{seconds}.wav", talks.talk([seconds]))
        assert cut(file, 10) == [file]
    assert cut(f"{file}#t=1,9", 8) == [f"{file}#t=1,9"]
    assert cut(f"{file}#t=4", 8) == [f"{file}#t=4"]
    assert cut(f"{file}#t=3,99", 8) == [f"{file}#t=3,99"]


def test_a_segment_is_cut_within_its_bounds(tmp_path: Path) -> None:
    file = talks.written(tmp_path / "talk.wav", talks.talk(PAUSES))
    raws = cut(f"{file}#t=10.01,40.003", 10)
    pieces = spans(raws)
    assert {segment_of(raw).file for raw in raws} == {file}
    assert (pieces[0][0], pieces[-1][1]) == (10.01, 40.003)
    for _, end in pieces[:-1]:
        assert pause_of(end, PAUSES) is not None


# Speech without pauses, and pauses without speech ------------------------------------------------------


@pytest.mark.parametrize(
    "sound", [talks.babble(60), np.random.default_rng(1).normal(0, 0.1, 60 * talks.RATE)]
)
def test_without_pauses_pieces_overlap(tmp_path: Path, sound: NDArray[Any]) -> None:
    file = talks.written(tmp_path / "talk.wav", sound)
    pieces = spans(cut(file, 12))
    check(pieces, 12, 60)
    assert (pieces[0][0], pieces[-1][1]) == (0, 60)
    for (_, end), (start, _) in pairwise(pieces):
        assert end - start == pytest.approx(OVERLAP_S)
    assert min(end - start for start, end in pieces) > 12 / 4


def test_a_pause_out_of_reach_is_not_waited_for(tmp_path: Path) -> None:
    parts = [30.0, 1.0, 8.0, 1.0, 8.0, 1.0, 8.0]
    file = talks.written(tmp_path / "talk.wav", talks.talk(parts))
    pieces = spans(cut(file, 12))
    check(pieces, 12, sum(parts))
    cuts = [(start, end - start) for (_, end), (start, _) in pairwise(pieces)]
    assert all(overlap < 0 if start > 28 else overlap == OVERLAP_S for start, overlap in cuts)
    assert len(cuts) == 5


def test_closures_within_words_are_no_pauses(tmp_path: Path) -> None:
    parts = [1.2, 0.1] * 20 + [3.0, 0.4] + [1.2, 0.1] * 20
    file = talks.written(tmp_path / "talk.wav", talks.talk(parts))
    pieces = spans(cut(file, 40))
    assert len(pieces) == 2
    assert pieces[0][1] == pytest.approx(sum(parts[:42]) - 0.2, abs=0.05)


def test_long_silence_is_left_out(tmp_path: Path) -> None:
    parts = [0.0, 5.0, 4.0, 200.0, 4.0, 1.0, 4.0, 8.0, 3.0, 5.0]
    file = talks.written(tmp_path / "talk.wav", talks.talk(parts))
    found, edges = spans(cut(file, 20)), np.cumsum(parts)
    wanted = [(edges[1], edges[2]), (edges[3], edges[6]), (edges[7], edges[8])]
    margin = np.array([-MARGIN_S, MARGIN_S])
    assert np.allclose(found, np.array(wanted) + margin, atol=0.05)


def test_pauses_that_are_long_enough_end_a_piece(tmp_path: Path) -> None:
    parts = [4.0, 0.4, 4.0, 0.7, 3.0, 0.4, 3.0, 1.5, 2.0, 0.6, 9.0]
    file, edges = talks.written(tmp_path / "talk.wav", talks.talk(parts)), np.cumsum(parts)
    found = spans(cut(file, 20, pause_s=0.5))
    starts = [0, *edges[[3, 7, 9]] - MARGIN_S]
    ends = [*edges[[2, 6, 8]] + MARGIN_S, edges[10]]
    assert np.allclose(found, list(zip(starts, ends, strict=True)), atol=0.05)
    assert len(cut(file, 20, pause_s=1.0)) == 2
    assert len(cut(file, 20, pause_s=2.0)) == 2  # too long for one


def test_a_word_between_pauses_is_a_piece(tmp_path: Path) -> None:
    parts = [0.6, 0.8, 12.0, 0.8, 0.6, 3.5, 0.6, 0.8, 12.0]
    file, edges = talks.written(tmp_path / "talk.wav", talks.talk(parts)), np.cumsum(parts)
    found = spans(cut(file, 20, pause_s=0.5))
    ends = [0, *edges]
    wanted = [(max(0, ends[i] - 0.25), min(edges[8], ends[i + 1] + 0.25)) for i in range(0, 9, 2)]
    assert np.allclose(found, wanted, atol=0.05)


@pytest.mark.parametrize("noise", [0.0, 1e-5])
def test_of_silence_there_is_a_little(tmp_path: Path, noise: float) -> None:
    file = talks.written(tmp_path / "talk.wav", talks.talk([0.0, 60.0], noise=noise))
    assert np.allclose(spans(cut(file, 20)), [(0, 2 * MARGIN_S)], atol=FRAME_S)


def test_speech_of_few_bits_is_no_silence(tmp_path: Path) -> None:
    file = talks.written(tmp_path / "talk.wav", talks.talk([10.0, 30.0, 10.0], noise=0.0, loudness=1e-3))
    pieces = spans(cut(file, 20))
    assert np.allclose(pieces, [(0, 10 + MARGIN_S), (40 - MARGIN_S, 50)], atol=0.05)


def test_no_sound_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("not at all")
    with pytest.raises(DataError, match=r"text\.wav: no WAV"):
        cut(str(tmp_path / "text.wav"), 20)


def test_levels_do_not_depend_on_blocks() -> None:
    sound = talks.talk([1.0, 0.5, 0.31]).astype(np.float32)
    whole = levels_of([sound], 320)
    assert len(whole) == -(-len(sound) // 320)
    for size in (100, 320, 999, 7777):
        blocks = [sound[start : start + size] for start in range(0, len(sound), size)]
        assert np.array_equal(levels_of(blocks, 320), whole)


def test_minutes_are_cut_alike(tmp_path: Path) -> None:
    file = tmp_path / "long.flac"
    minute = talks.talk(PAUSES)
    with soundfile.SoundFile(file, "w", talks.RATE, 1) as stream:
        for _ in range(5):
            stream.write(minute)
    pieces = spans(cut(str(file), 10))
    check(pieces, 10, 5 * sum(PAUSES))
    assert all(pause_of(end % sum(PAUSES), PAUSES) is not None for _, end in pieces[:-1])
