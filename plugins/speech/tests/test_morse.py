"""Morse code: what is keyed can be read off the sound by its timing alone."""

from __future__ import annotations

import re
from itertools import groupby

import numpy as np
import pytest
from numpy.typing import NDArray

from seqloom_speech.morse import RATE_HZ, SIGNS, message, sounded

LETTERS = {sign: letter for letter, sign in SIGNS.items()}


def loudness(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """How strong the tone is over time: the sound shifted to its pitch, then averaged over 15 ms."""
    spectrum = np.abs(np.fft.rfft(samples))
    pitch = spectrum.argmax() * RATE_HZ / len(samples)
    shifted = samples * np.exp(-2j * np.pi * pitch * np.arange(len(samples)) / RATE_HZ)
    width = round(0.015 * RATE_HZ)
    smooth: NDArray[np.float64] = np.abs(np.convolve(shifted, np.ones(width) / width, "same"))
    return smooth


def read(samples: NDArray[np.float64]) -> str:
    """What somebody writes down who measures the lengths of sound and silence."""
    strength = loudness(samples)
    is_down = strength > 0.45 * np.percentile(strength, 90)
    runs = [(bool(down), len(list(run)) / RATE_HZ) for down, run in groupby(is_down)]
    runs = [(down, seconds) for down, seconds in runs if seconds > 0.012][1:-1]
    dot_s = np.median([seconds for _, seconds in runs if seconds < 1.8 * min(one for _, one in runs)])
    text = ""
    for down, seconds in runs:
        if down:
            text += "-" if seconds > 2 * dot_s else "."
        elif seconds > 2 * dot_s:
            text += "/ /" if seconds > 4.8 * dot_s else "/"
    return "".join(LETTERS.get(sign, "?") if sign.strip() else sign for sign in text.split("/"))


def test_signs_are_of_their_own_and_as_the_recommendation_has_them() -> None:
    assert len(SIGNS) == len(LETTERS) == 36
    assert all(re.fullmatch(r"[.-]{1,5}", sign) for sign in LETTERS)
    assert [SIGNS[letter] for letter in "SOS"] == ["...", "---", "..."]
    assert [SIGNS[digit] for digit in "0159"] == ["-----", ".----", ".....", "----."]
    swapped = str.maketrans(".-", "-.")
    assert all(SIGNS[str(n)].translate(swapped) == SIGNS[str((n + 5) % 10)] for n in range(10))


def test_messages_are_of_words_call_signs_and_numbers() -> None:
    random = np.random.default_rng(1)
    messages = [message(random) for _ in range(300)]
    assert all(re.fullmatch(r"[A-Z0-9]+( [A-Z0-9]+)?", one) for one in messages)
    words = {word for one in messages for word in one.split()}
    for kind in (r"[A-Z]+", r"\d{2,4}", r"[A-Z]{1,2}\d[A-Z]{2,3}"):
        assert sum(bool(re.fullmatch(kind, word)) for word in words) > 30
    assert set("".join(words)) == set(SIGNS)
    assert len(set(messages)) > 270


def test_most_of_what_is_sounded_can_be_read_by_measuring() -> None:
    random = np.random.default_rng(2)
    right = 0
    for _ in range(60):
        text = message(random)
        samples = sounded(text, random)
        assert 0.05 < np.abs(samples).max() < 1
        right += read(samples) == text
    assert right > 40


@pytest.mark.parametrize("text", ["E", "0 0"])
def test_sounds_differ_each_time(text: str) -> None:
    random = np.random.default_rng(3)
    lengths = {len(sounded(text, random)) for _ in range(20)}
    assert len(lengths) > 15
    assert (
        sounded(text, np.random.default_rng(4)).tobytes()
        == sounded(text, np.random.default_rng(4)).tobytes()
    )
