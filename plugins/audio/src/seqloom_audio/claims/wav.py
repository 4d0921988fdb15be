"""WAV: Multimedia Programming Interface and Data Specifications 1.0 (IBM, Microsoft 1991), chapter 3."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from seqloom.errors import DataError
from seqloom_audio.claims.base import Claim, exactly
from seqloom_audio.extent import Extent

CHUNKS: Final = 1_000  # before the sound
EXTENSIBLE: Final = 0xFFFE
SUBFORMAT: Final = bytes.fromhex("000000001000800000aa00389b71")  # after the tag, in an extensible format
BITS: Final = {1: (8, 16, 24, 32), 3: (32, 64), 6: (8,), 7: (8,)}
"""Those of a sample, by the format's tag: PCM, IEEE float, A-law, mu-law."""


class Format(NamedTuple):
    """What the chunk ``fmt`` says."""

    channels: int
    rate_hz: int
    frame_bytes: int


def claim(stream: Extent) -> Claim:
    """What a WAV says of itself.

    Raises:
        DataError: It contradicts itself, is cut short, or is of a kind that we do not read.
    """
    at, form = 12, None
    for _ in range(CHUNKS):
        kind, length = struct.unpack("<4sI", exactly(stream, at, 8))
        if kind == b"data":
            return _claim(form, length, stream.size - at - 8)
        if kind == b"fmt ":
            if form is not None:
                raise DataError("a WAV of two formats")
            form = _format(exactly(stream, at + 8, min(length, 40)))
        at += 8 + length + length % 2
    raise DataError(f"a WAV with more than {CHUNKS} chunks before its sound")


def _claim(form: Format | None, length: int, there: int) -> Claim:
    if form is None:
        raise DataError("a WAV that does not say of what format it is")
    if length > there:
        raise DataError(
            f"cut short, or never finished: it says that {length:,} bytes of sound follow, and {there:,} do"
        )
    return Claim(form.channels, form.rate_hz, length // form.frame_bytes)


def _format(content: bytes) -> Format:
    if len(content) < 16:
        raise DataError(f"a WAV whose format takes {len(content)} bytes, of at least 16")
    tag, channels, rate, _, frame_bytes, bits = struct.unpack("<HHIIHH", content[:16])
    if tag == EXTENSIBLE:
        if len(content) < 40 or content[26:] != SUBFORMAT:
            raise DataError("a WAV of an extensible format that we do not read")
        (tag,) = struct.unpack("<H", content[24:26])
    if tag not in BITS:
        raise DataError(f"a WAV of format {tag:#06x}; convert it to PCM")
    if bits not in BITS[tag]:
        raise DataError(f"a WAV of format {tag:#06x} with {bits} bits a sample; convert it to PCM")
    if frame_bytes != channels * bits // 8:
        raise DataError(
            f"a WAV that contradicts itself: {channels} channels of {bits} bits in {frame_bytes} bytes"
        )
    if not channels:
        raise DataError("a WAV without channels")
    return Format(channels, rate, frame_bytes)
