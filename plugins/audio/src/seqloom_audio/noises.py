"""Noise from a folder of recordings of it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from torch import Tensor

from seqloom.drawing import Draw
from seqloom.errors import ConfigError
from seqloom_audio.formats import SUFFIXES
from seqloom_audio.reading import opened_sound
from seqloom_audio.segments import Segment

LONGEST_S = 3600.0


@dataclass(frozen=True)
class Noises:
    """Recordings of noise.

    Attributes:
        folder: Where they lie, at any depth; ``~`` and ``$NAME`` are expanded.
        rate_hz: Samples a second to give.
    """

    folder: str
    rate_hz: int

    def __call__(self, count: int, draw: Draw) -> Tensor:
        """[count] samples from anywhere in one of the recordings, which is repeated where it is too short.

        Raises:
            ConfigError: There are none.
            DataError: One cannot be read.
        """
        file, needed = draw.one_of(_files(self.folder)), count / self.rate_hz
        with opened_sound(file) as recording:
            spare = 0.0 if recording.seconds is None else max(0.0, recording.seconds - needed)
            start = draw.between(0, spare)
            segment = Segment(file, start, start + needed if spare else None)
            noise = recording.read(segment, self.rate_hz, "mix", LONGEST_S)
        return noise.repeat(-(-count // len(noise)))[:count].float()


@lru_cache(maxsize=4)
def _files(folder: str) -> list[str]:
    root = Path(os.path.expandvars(folder)).expanduser()
    found = sorted(
        str(file) for file in root.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file()
    )
    if not found:
        raise ConfigError(f"augment.noise: {root} is no folder with {', '.join(SUFFIXES)} in it")
    return found
