"""MP3: ISO 11172-3, section 2.4.1.3, and 13818-3; ID3v2.4, section 3.1; the Xing header of encoders."""

from __future__ import annotations

from typing import Final, NamedTuple

from seqloom.errors import DataError
from seqloom_audio.claims.base import Claim, exactly
from seqloom_audio.extent import Extent

TAGS: Final = 8  # ID3 tags before the sound
KILOBITS: Final = {  # a second, by a frame's index from 1; of MPEG 1, and of 2 and 2.5
    True: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
RATES_HZ: Final = (44_100, 48_000, 32_000)
DIVISORS: Final = {3: 1, 2: 2, 0: 4}  # of rates, by version: MPEG 1, 2, 2.5
MONO: Final = 3


class Frame(NamedTuple):
    """What the header of a frame says.

    Attributes:
        rate_hz: Samples a second.
        channels: 1 or 2.
        size: Bytes from its beginning to the next frame's.
        side: Bytes from its beginning to its sound, or to what an encoder says of the whole file there.
    """

    rate_hz: int
    channels: int
    size: int
    side: int


def claim(stream: Extent) -> Claim:
    """What an MP3 says of itself.

    Raises:
        DataError: It is none, or is cut short.
    """
    at = _after_tags(stream)
    first = _frame(exactly(stream, at, 4))
    if at + first.size < stream.size:
        second = _frame(exactly(stream, at + first.size, 4))
        if second.rate_hz != first.rate_hz:
            raise DataError("an MP3 whose frames contradict each other")
    _check_length(stream, at, first)
    return Claim(first.channels, first.rate_hz)


def _after_tags(stream: Extent) -> int:
    at = 0
    for _ in range(TAGS):
        head = exactly(stream, at, 10)
        if not head.startswith(b"ID3"):
            return at
        size = 0
        for byte in head[6:]:
            size = size << 7 | byte & 0x7F
        at += 10 + size + (10 if head[5] & 0x10 else 0)
    raise DataError(f"an MP3 with more than {TAGS} tags before its sound")


def _frame(head: bytes) -> Frame:
    """The header of a frame of MPEG audio, layer III."""
    bits = int.from_bytes(head)
    version, layer, padding = bits >> 19 & 3, bits >> 17 & 3, bits >> 9 & 1
    kilobits, rate, mode = bits >> 12 & 15, bits >> 10 & 3, bits >> 6 & 3
    if bits >> 21 != 0x7FF or version == 1 or layer != 1 or kilobits in (0, 15) or rate == 3:
        raise DataError("a damaged MP3, or none: no frame is where one should be")
    is_first, channels = version == 3, 1 if mode == MONO else 2
    rate_hz = RATES_HZ[rate] // DIVISORS[version]
    size = (144 if is_first else 72) * 1000 * KILOBITS[is_first][kilobits - 1] // rate_hz + padding
    side = {(True, 1): 17, (True, 2): 32, (False, 1): 9, (False, 2): 17}[is_first, channels]
    return Frame(rate_hz, channels, size, 4 + side)


def _check_length(stream: Extent, at: int, first: Frame) -> None:
    """Refuses a file that is shorter than its encoder says, where it says something."""
    if at + first.side + 16 > stream.size:
        raise DataError("cut short within its header")
    said = exactly(stream, at + first.side, 16)
    flags = int.from_bytes(said[4:8])
    if said[:4] in (b"Xing", b"Info") and flags & 2:
        size = int.from_bytes(said[12:16] if flags & 1 else said[8:12])
        if at + size > stream.size:
            raise DataError(
                f"cut short: it says that {size:,} bytes of sound follow, and {stream.size - at:,} do"
            )
