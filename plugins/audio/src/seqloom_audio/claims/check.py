"""Which format is it, and are its claims within bounds?"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from seqloom.errors import DataError
from seqloom_audio.claims import flac, mp3, ogg, wav
from seqloom_audio.claims.base import Claim, Reader
from seqloom_audio.extent import Extent
from seqloom_audio.formats import CHANNELS, HIGHEST_HZ, LOWEST_HZ, SUFFIXES

READERS: Final[dict[str, Reader]] = {
    "WAV": wav.claim,
    "FLAC": flac.claim,
    "OGG": ogg.claim,
    "MP3": mp3.claim,
}


def checked(stream: Extent, name: str) -> tuple[str, Claim]:
    """The format of a file, and what it claims.

    Args:
        stream: The file.
        name: Its name, whose end may say a format.

    Raises:
        DataError: It is no sound that we read, or claims what cannot be.
    """
    form = form_of(stream)
    said = SUFFIXES.get(Path(name).suffix.lower(), form)
    if said != form:
        raise DataError(f"its name says {said}, its content is {form}; rename it")
    claim = READERS[form](stream)
    if claim.rate_hz is not None:
        check_rate(claim.rate_hz)
    if not 1 <= claim.channels <= CHANNELS:
        raise DataError(f"{claim.channels} channels, of at most {CHANNELS} that are read")
    if claim.frames == 0:
        raise DataError("there is no sound in it")
    return form, claim


def check_rate(rate_hz: int) -> None:
    """Refuses rates that no sound has."""
    if not LOWEST_HZ <= rate_hz <= HIGHEST_HZ:
        raise DataError(f"{rate_hz:,} samples a second, of {LOWEST_HZ:,} to {HIGHEST_HZ:,} that are read")


def form_of(stream: Extent) -> str:
    """The format of a file by its first bytes.

    Raises:
        DataError: It is none that we read.
    """
    stream.seek(0)
    head = stream.read(12) or b""
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "WAV"
    for beginning, form in ((b"fLaC", "FLAC"), (b"OggS", "OGG"), (b"ID3", "MP3")):
        if head.startswith(beginning):
            return form
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        return "MP3"
    if not head:
        raise DataError("an empty file")
    raise DataError("no WAV, FLAC, OGG or MP3; convert it to one of these")
