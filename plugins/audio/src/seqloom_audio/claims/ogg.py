"""Vorbis and Opus in Ogg: RFC 3533, section 6; Vorbis I, section 4.2.2; RFC 7845, section 5.1."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from seqloom.errors import DataError
from seqloom_audio.claims.base import Claim, exactly
from seqloom_audio.extent import Extent

BEGINNING: Final = b"OggS"
HEAD: Final = struct.Struct("<4sBBqIIIB")
PAGE_BYTES: Final = HEAD.size + 255 + 255 * 255  # at most
FIRST, LAST = 2, 4  # flags of a page


class Page(NamedTuple):
    """A page of a stream.

    Attributes:
        flags: Whether it is the first or the last of its stream.
        stream: The number of its stream.
        body: Where its content begins, and how many bytes it has.
    """

    flags: int
    stream: int
    body: tuple[int, int]


def claim(stream: Extent) -> Claim:
    """What an Ogg says of itself.

    Raises:
        DataError: It contradicts itself, is cut short, or holds something else than Vorbis or Opus.
    """
    first, last = _page(stream, 0), _page(stream, _last(stream))
    if not first.flags & FIRST:
        raise DataError("an OGG without a beginning")
    if not last.flags & LAST or sum(last.body) != stream.size or last.stream != first.stream:
        raise DataError("cut short: an OGG whose end is missing")
    return _codec(exactly(stream, *first.body))


def _page(stream: Extent, at: int) -> Page:
    beginning, version, flags, _, number, _, _, segments = HEAD.unpack(exactly(stream, at, HEAD.size))
    if beginning != BEGINNING or version:
        raise DataError("an OGG with a damaged page")
    sizes = exactly(stream, at + HEAD.size, segments)
    return Page(flags, number, (at + HEAD.size + segments, sum(sizes)))


def _last(stream: Extent) -> int:
    """Where the last page begins."""
    start = max(0, stream.size - PAGE_BYTES)
    found = exactly(stream, start, stream.size - start).rfind(BEGINNING)
    if found < 0:
        raise DataError("cut short: an OGG whose end is missing")
    return start + found


def _codec(packet: bytes) -> Claim:
    if packet.startswith(b"\x01vorbis") and len(packet) >= 30:
        version, channels, rate = struct.unpack("<IBI", packet[7:16])
        small, large = packet[28] & 15, packet[28] >> 4
        if version or not 6 <= small <= large <= 13:
            raise DataError("an OGG whose Vorbis header is damaged")
        return Claim(channels, rate)
    if packet.startswith(b"OpusHead") and len(packet) >= 19:
        if packet[8] >> 4:
            raise DataError("an OGG whose Opus header is of a version that we do not read")
        return Claim(packet[9])
    raise DataError("an OGG with neither Vorbis nor Opus in it; convert it to FLAC")
