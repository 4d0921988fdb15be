"""Recordings of something like speech, whose pauses are known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

RATE = 16_000


def babble(seconds: float, seed: int = 1, rate: int = RATE) -> NDArray[Any]:
    """Syllables without pause, [samples]: noise that grows and falls four times a second."""
    time = np.arange(round(seconds * rate)) / rate
    loudness = 0.15 + 0.85 * np.sin(4 * np.pi * time) ** 2
    return 0.3 * loudness * np.random.default_rng(seed).uniform(-1, 1, len(time))


def talk(
    parts: Sequence[float], rate: int = RATE, noise: float = 3e-4, loudness: float = 1.0
) -> NDArray[Any]:
    """Speech and pauses by turns, [samples].

    Args:
        parts: Seconds of speech, of a pause, of speech, and so on.
        rate: Samples a second.
        noise: How loud it is, beside 0.3 of speech.
        loudness: Of it all.
    """
    sound = [
        babble(seconds, number, rate) if number % 2 == 0 else np.zeros(round(seconds * rate))
        for number, seconds in enumerate(parts)
    ]
    whole = np.concatenate(sound)
    return loudness * (whole + np.random.default_rng(0).normal(0, noise, len(whole)))


def written(file: Path, samples: NDArray[Any], rate: int = RATE) -> str:
    """The path of a file of samples [n] or [n, channels], with 16 bits."""
    soundfile.write(file, samples, rate)
    return str(file)
