"""Which files are pictures? Those whose names end so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SUFFIXES: Final[Mapping[str, str]] = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".webp": "WebP",
    ".bmp": "BMP",
}
"""The formats that are read, by what names of files end in."""
