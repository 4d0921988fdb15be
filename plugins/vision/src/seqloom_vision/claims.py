"""What a picture's file claims, checked before its pixels are decoded."""

from __future__ import annotations

import math
import zlib
from pathlib import Path
from typing import Final

from PIL import Image, JpegImagePlugin

from seqloom.errors import DataError
from seqloom_vision.formats import SUFFIXES

PNG_BEGINNING: Final = b"\x89PNG\r\n\x1a\n"
PIXELS: Final = 50_000_000
SIDE: Final = 65_535  # pixels; a JPEG cannot have more
COST_BYTES: Final = 256 * 2**20  # of memory, for a file and its pixels together
SCANS: Final = 100  # of a JPEG: each goes through all its pixels, and to ask for one takes few bytes


def form_of(data: bytes) -> str:
    """The format of a file by its first bytes.

    Raises:
        DataError: It is none that we read.
    """
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    for beginning, form in ((b"\xff\xd8\xff", "JPEG"), (PNG_BEGINNING, "PNG"), (b"BM", "BMP")):
        if data.startswith(beginning):
            return form
    what = "no JPEG, PNG, WebP or BMP picture" if data else "an empty file"
    raise DataError(f"{what}; convert it to one of these" if data else what)


def check_label(name: str, form: str) -> None:
    """Refuses a file whose name says another format than its bytes do."""
    said = SUFFIXES.get(Path(name).suffix.lower(), form)
    if said != form:
        raise DataError(f"its name says {said}, its content is {form}; rename it")


def check_size(picture: Image.Image) -> None:
    """Refuses a picture of too many pixels or of several frames."""
    columns, rows = picture.size
    if columns * rows > PIXELS:
        raise DataError(
            f"{columns} × {rows} pixels are more than the {PIXELS // 10**6} million that a picture may have"
        )
    if max(columns, rows) > SIDE:
        raise DataError(f"{columns} × {rows} pixels: no side may have more than {SIDE}")
    frames = getattr(picture, "n_frames", 1)
    if frames > 1 and picture.format != "MPO":  # the first picture of an MPO is the photograph
        raise DataError(f"an animation of {frames} frames; take one of them")


def check_cost(picture: Image.Image, stored: tuple[int, int], data: bytes) -> None:
    """Refuses a picture that takes too much memory or time to decode.

    Args:
        picture: Not decoded yet, its size the one that it is to be decoded in.
        stored: Its size in the file.
        data: The file.
    """
    cost = len(data) + math.prod(picture.size) * _bytes_a_pixel(picture)
    if isinstance(picture, JpegImagePlugin.JpegImageFile):
        scans = _scans(picture, data)
        if scans > SCANS:
            raise DataError(f"a JPEG of {scans} scans, more than {SCANS}; save it anew")
        if scans > 1:
            cost += _coefficient_bytes(picture, stored)
    if cost > COST_BYTES:
        raise DataError(
            f"to decode it takes {cost // 10**6} MB of memory, more than the {COST_BYTES // 10**6} that a "
            "picture may; make it smaller, or save it as a baseline JPEG"
        )


def _bytes_a_pixel(picture: Image.Image) -> int:
    """What is held of each pixel to decode."""
    if picture.format == "WEBP":
        return 16  # two frames of libwebp's, what it hands over, and Pillow's own
    return {"1": 1, "L": 1, "P": 1, "I;16": 2}.get(picture.mode, 4)


def _scans(picture: JpegImagePlugin.JpegImageFile, data: bytes) -> int:
    """How often a JPEG goes through its pixels; those of a thumbnail inside do not count."""
    start = b"\xff\xda"
    return data.count(start) - sum(content.count(start) for _, content in picture.applist)


def _coefficient_bytes(picture: JpegImagePlugin.JpegImageFile, stored: tuple[int, int]) -> int:
    """What libjpeg holds of a JPEG of several scans, until the last of them: two bytes a sample."""
    widest, highest = (max(layer[axis] for layer in picture.layer) for axis in (1, 2))
    samples = sum(layer[1] * layer[2] for layer in picture.layer) / (widest * highest)
    return int(2 * math.prod(stored) * samples)


def check_sums(data: bytes) -> None:
    """Refuses a PNG any of whose chunks is damaged, as Pillow does not ask that of pixels.

    PNG specification, section 5.3: length, type, content, and the CRC of type and content.
    """
    view, at, kind = memoryview(data), len(PNG_BEGINNING), b""
    while kind != b"IEND":
        kind = data[at + 4 : at + 8]
        end = at + 8 + int.from_bytes(data[at : at + 4])
        if end + 4 > len(data):
            raise DataError("a truncated PNG")
        if zlib.crc32(view[at + 4 : end]) != int.from_bytes(data[end : end + 4]):
            raise DataError("a damaged PNG: a checksum is wrong")
        at = end + 4
