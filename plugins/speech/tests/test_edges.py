"""A word lasts as long as it sounds, of which what CTC says is a part."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from seqloom_speech.edges import at_sound, sounding
from seqloom_speech.words import Part, Word

FRAME_S = 0.01
NOISE, SPEECH = -60.0, -20.0


def levels(*sounds: tuple[float, float], seconds: float = 2.0, speech: float = SPEECH) -> np.ndarray:
    """Noise, and speech from one moment to another."""
    made = np.full(round(seconds / FRAME_S), NOISE, np.float32)
    made += np.random.default_rng(1).normal(0, 1, len(made)).astype(np.float32)
    for begin, end in sounds:
        made[round(begin / FRAME_S) : round(end / FRAME_S)] = speech
    return made


def word(text: str, start_s: float, end_s: float) -> Word:
    middle = (start_s + end_s) / 2
    parts = (Part(text[0], start_s, middle), Part(text[1:], middle, end_s))
    return Word(text, start_s, end_s, 0.5, parts)


def times(words: tuple[Word, ...]) -> list[tuple[float, float]]:
    return [(round(one.start_s, 3), round(one.end_s, 3)) for one in words]


def test_words_last_from_pause_to_pause() -> None:
    heard = at_sound(
        [word("one", 0.58, 0.7), word("two", 1.2, 1.3)], levels((0.5, 0.8), (1.1, 1.45)), FRAME_S
    )
    assert times(heard) == [(0.5, 0.8), (1.1, 1.45)]
    for one in heard:
        assert [part.text for part in one.parts] == [one.text[0], one.text[1:]]
        assert one.parts[0].start_s == one.start_s
        assert one.parts[-1].end_s == one.end_s
        assert one.parts[0].end_s == one.parts[1].start_s
        assert one.confidence == 0.5


def test_what_ctc_says_in_a_pause_goes_back_to_the_sound_but_not_far() -> None:
    (near,) = at_sound([word("one", 0.48, 0.82)], levels((0.5, 0.8)), FRAME_S)
    assert times((near,)) == [(0.5, 0.8)]
    (far,) = at_sound([word("one", 0.4, 0.95)], levels((0.5, 0.8)), FRAME_S)
    assert times((far,)) == [(0.43, 0.92)]


def test_sound_far_from_what_ctc_says_is_not_of_the_word() -> None:
    (heard,) = at_sound([word("one", 1.0, 1.1)], levels((0.2, 1.9)), FRAME_S)
    assert times((heard,)) == [(0.9, 1.25)]


def test_words_without_a_pause_meet_in_the_middle() -> None:
    heard = at_sound([word("one", 0.6, 0.7), word("two", 0.8, 0.9)], levels((0.5, 1.0)), FRAME_S)
    assert times(heard) == [(0.5, 0.75), (0.75, 1.0)]


def test_what_is_much_softer_is_not_of_the_word() -> None:
    made = levels((0.5, 0.8), seconds=3.0)
    made[80:100] = SPEECH - 35  # an echo, well above the noise
    made[200:260] = SPEECH
    (heard, _) = at_sound([word("one", 0.55, 0.75), word("two", 2.1, 2.5)], made, FRAME_S)
    assert times((heard,)) == [(0.5, 0.8)]


@pytest.mark.parametrize("seed", range(5))
def test_words_stay_in_order_and_within_the_recording(seed: int) -> None:
    random = np.random.default_rng(seed)
    made = random.uniform(-70, -10, 200).astype(np.float32)
    moments = np.sort(random.uniform(0, 2, 20))
    words = [word("ab", *moments[place : place + 2]) for place in range(0, 20, 2)]
    bounds = [moment for one in at_sound(words, made, FRAME_S) for moment in (one.start_s, one.end_s)]
    assert all(before <= after for before, after in pairwise([0.0, *bounds, 2.0]))


def test_times_are_of_the_segment(tmp_path: Path) -> None:
    rate = 8000
    time_s = np.arange(2 * rate) / rate
    sound = 0.001 * np.random.default_rng(1).normal(size=2 * rate)
    sound += 0.3 * np.sin(2 * np.pi * 300 * time_s) * ((time_s > 0.9) & (time_s < 1.2))
    soundfile.write(tmp_path / "a.flac", np.stack([np.zeros_like(sound), sound], 1), rate)
    whole = sounding([word("one", 1.0, 1.1)], str(tmp_path / "a.flac"), 1)
    part = sounding([word("one", 0.5, 0.6)], f"{tmp_path / 'a.flac'}#t=0.5,2", 1)
    assert times(whole) == [(0.9, 1.2)]
    assert times(part) == [(0.4, 0.7)]
    assert sounding([], "missing.flac", "mix") == ()
