"""FLAC: RFC 9639, sections 8 and 9."""

from __future__ import annotations

from typing import Final

from seqloom.errors import DataError
from seqloom_audio.claims.base import Claim, exactly
from seqloom_audio.extent import Extent

BLOCKS: Final = 1_000  # of metadata
STREAMINFO_BYTES: Final = 34
LEAST_BLOCK: Final = 16  # samples


def claim(stream: Extent) -> Claim:
    """What a FLAC says of itself.

    Raises:
        DataError: It contradicts itself or is cut short.
    """
    if exactly(stream, 4, 4)[0] & 0x7F or _length(exactly(stream, 4, 4)) != STREAMINFO_BYTES:
        raise DataError("a FLAC that does not begin with what it is like")
    found = _claim(exactly(stream, 8, STREAMINFO_BYTES))
    at = 4
    for _ in range(BLOCKS):
        head = exactly(stream, at, 4)
        at += 4 + _length(head)
        if head[0] & 0x80:
            break
    else:
        raise DataError(f"a FLAC with more than {BLOCKS} blocks of metadata")
    sync = exactly(stream, at, 2)
    if sync[0] != 0xFF or sync[1] & 0xFE != 0xF8:
        raise DataError("a FLAC whose header is not followed by sound")
    return found


def _length(head: bytes) -> int:
    return int.from_bytes(head[1:4])


def _claim(info: bytes) -> Claim:
    """Section 8.2."""
    least, most = int.from_bytes(info[:2]), int.from_bytes(info[2:4])
    if not LEAST_BLOCK <= least <= most:
        raise DataError(f"a FLAC with blocks of {least} to {most} samples")
    packed = int.from_bytes(info[10:18])  # 20 bits of rate, 3 of channels, 5 of bits, 36 of samples
    rate, channels, frames = packed >> 44, (packed >> 41 & 7) + 1, packed & (1 << 36) - 1
    return Claim(channels, rate, frames or None)  # none says: unknown
