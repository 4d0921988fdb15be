"""What all formats have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from seqloom.errors import DataError
from seqloom_audio.extent import Extent


class Claim(NamedTuple):
    """What a file says of its sound.

    Attributes:
        channels: How many there are.
        rate_hz: Samples a second of each; None where a decoder chooses.
        frames: Samples of each; None where the file does not say.
    """

    channels: int
    rate_hz: int | None = None
    frames: int | None = None


Reader = Callable[[Extent], Claim]
"""Reads the header of a file whose beginning is that of a format."""


def exactly(stream: Extent, at: int, count: int) -> bytes:
    """So many bytes from there on.

    Raises:
        DataError: They are not there.
    """
    stream.seek(at)
    found = stream.read(count)
    if found is None or len(found) < count:
        raise DataError("cut short within its header")
    return found
