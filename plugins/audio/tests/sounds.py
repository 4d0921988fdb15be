"""Sound to test with."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

KINDS = {  # how libsndfile has and writes it
    "wav": ("WAV", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}


def sweep(
    seconds: float = 1.0, rate: int = 16_000, low: float = 200.0, high: float = 900.0
) -> NDArray[Any]:
    """A tone that rises, [samples]: no part of it is like another."""
    time = np.arange(round(seconds * rate)) / rate
    phase = 2 * np.pi * (low * time + (high - low) * time**2 / 2 / max(seconds, 1e-9))
    return 0.4 * np.sin(phase)


def noise(seconds: float = 1.0, rate: int = 16_000, seed: int = 1) -> NDArray[Any]:
    """White noise, [samples]."""
    return np.random.default_rng(seed).uniform(-0.5, 0.5, round(seconds * rate))


def encoded(
    samples: NDArray[Any], kind: str = "wav", rate: int = 16_000, subtype: str | None = None
) -> bytes:
    """The bytes of a file of samples [n] or [n, channels]."""
    buffer = BytesIO()
    form, usual = KINDS[kind]
    soundfile.write(buffer, samples, rate, format=form, subtype=subtype or usual)
    return buffer.getvalue()


def write(file: Path, samples: NDArray[Any], rate: int = 16_000, subtype: str | None = None) -> str:
    """A file of the kind that its name says."""
    file.write_bytes(encoded(samples, file.suffix[1:], rate, subtype))
    return str(file)
