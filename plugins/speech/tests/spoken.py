"""Sound to test with: a tone for each letter, and silence between words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

RATE_HZ = 8000
TONE_S, PAUSE_S, BLANK_S = 0.1, 0.04, 0.16


def spoken(text: str) -> NDArray[np.float32]:
    """Samples of a text of ``a`` to ``z`` and blanks: each letter a quarter of an octave above the last."""
    time = np.arange(round(TONE_S * RATE_HZ)) / RATE_HZ
    parts = [_silence(PAUSE_S)]
    for letter in text:
        if letter == " ":
            parts.append(_silence(BLANK_S))
        else:
            pitch_hz = 250 * 2 ** ((ord(letter) - ord("a")) / 4)
            parts += [0.4 * np.sin(2 * np.pi * pitch_hz * time) * np.hanning(len(time)), _silence(PAUSE_S)]
    return np.concatenate(parts).astype(np.float32)


def _silence(seconds: float) -> NDArray[np.float64]:
    return np.random.default_rng(1).normal(0, 1e-3, round(seconds * RATE_HZ))


def write(file: Path, text: str) -> str:
    """A recording of a text; gives its name back."""
    soundfile.write(file, spoken(text), RATE_HZ)
    return file.name


def write_joined(file: Path, texts: Sequence[str]) -> list[tuple[float, float]]:
    """A recording of several texts; when each begins and ends, in seconds."""
    parts = [spoken(text) for text in texts]
    soundfile.write(file, np.concatenate(parts), RATE_HZ)
    ends = np.cumsum([len(part) for part in parts]) / RATE_HZ
    return list(zip([0.0, *ends[:-1].tolist()], ends.tolist(), strict=True))
