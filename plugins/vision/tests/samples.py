"""Pictures to test with, and the chunks that they are made of."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

PNG_BEGINNING = b"\x89PNG\r\n\x1a\n"
IEND = b"IEND"


def picture(columns: int = 24, rows: int = 20, seed: int = 1) -> Image.Image:
    """Something smooth in colour, so that JPEG changes it little."""
    noise = np.random.default_rng(seed).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((columns, rows), Image.Resampling.BICUBIC)


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    """The bytes of a picture's file."""
    buffer = BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG, its checksum right."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(
    columns: int, rows: int, depth: int, colour: int, data: bytes, *extra: bytes, tail: bytes = b"\0\0\0"
) -> bytes:
    """A PNG of raw rows, each with its filter's byte before it."""
    header = struct.pack(">IIBB", columns, rows, depth, colour) + tail
    body = [chunk(b"IHDR", header), *extra, chunk(b"IDAT", zlib.compress(data)), chunk(IEND, b"")]
    return PNG_BEGINNING + b"".join(body)
