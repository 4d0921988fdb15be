"""Morse code can be read off its sound by timing alone; the demo learns nothing of its test."""

from __future__ import annotations

import json
import re
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from seqloom.catalog import Catalog
from seqloom.hooks import DemoRequest
from seqloom.jobfile import load_job
from seqloom_speech import demo
from seqloom_speech.morse import RATE_HZ, SIGNS, message, sounded

LETTERS = {sign: letter for letter, sign in SIGNS.items()}


COUNTS = {"train": 30, "valid": 4, "test": 8}


def pitch(samples: NDArray[np.float64]) -> float:
    """Of the tone, in Hz."""
    return float(np.abs(np.fft.rfft(samples)).argmax() * RATE_HZ / len(samples))


def loudness(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """How strong the tone is over time: the sound shifted to its pitch, then averaged over 15 ms."""
    shifted = samples * np.exp(-2j * np.pi * pitch(samples) * np.arange(len(samples)) / RATE_HZ)
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
    sounds = [sounded(text, random) for _ in range(40)]
    assert len({len(one) for one in sounds}) > 30
    assert np.ptp([pitch(one) for one in sounds]) > 200
    assert np.ptp([20 * np.log10(np.abs(one).max()) for one in sounds]) > 12  # dB
    assert (
        sounded(text, np.random.default_rng(4)).tobytes()
        == sounded(text, np.random.default_rng(4)).tobytes()
    )


# The demo -----------------------------------------------------------------------------------------------


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> demo.Demo:
    monkeypatch.setattr(demo, "COUNTS", COUNTS)
    return demo.make_demo(DemoRequest(folder=str(tmp_path), seed=1))


def test_the_demo_sounds_messages_and_learns_none_of_the_test(made: demo.Demo, tmp_path: Path) -> None:
    texts: dict[str, set[str]] = {}
    for split, count in COUNTS.items():
        rows = [json.loads(line) for line in (tmp_path / f"{split}.jsonl").read_text().splitlines()]
        assert len(rows) == count
        assert all(soundfile.info(tmp_path / row["sound"]).samplerate == RATE_HZ for row in rows)
        texts[split] = {row["text"] for row in rows}
    assert {split: len(found) for split, found in texts.items()} == COUNTS  # each once
    assert not texts["test"] & (texts["train"] | texts["valid"])
    assert made.facts["test messages that occur in training"] == "0"
    assert {text for _, text in made.unseen} <= texts["test"]
    config = load_job(Path(made.job), Catalog.from_environment()).config
    assert (config.name, config.model.head.name) == (made.name, "ctc")


def test_a_seed_makes_the_same_demo(made: demo.Demo, tmp_path: Path) -> None:
    again = tmp_path / "again"
    again.mkdir()
    demo.make_demo(DemoRequest(folder=str(again), seed=1))
    files = sorted(path.relative_to(again) for path in again.rglob("*.*"))
    assert len(files) == sum(COUNTS.values()) + len(COUNTS) + 1
    for file in files:
        assert (again / file).read_bytes() == (tmp_path / file).read_bytes()
