"""Which files are sound, and how much of it may there be?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SUFFIXES: Final[Mapping[str, str]] = {
    ".wav": "WAV",
    ".flac": "FLAC",
    ".ogg": "OGG",
    ".oga": "OGG",
    ".opus": "OGG",
    ".mp3": "MP3",
}
"""The formats that are read, by what names of files end in."""

CHANNELS: Final = 8
"""At most."""

LOWEST_HZ: Final = 4_000
HIGHEST_HZ: Final = 384_000
"""Least and greatest number of samples a second."""
