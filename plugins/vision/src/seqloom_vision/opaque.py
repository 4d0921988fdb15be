"""Pillow's many kinds of pixels to two: 8 bits of grey, or 8 bits each of red, green and blue."""

from __future__ import annotations

from typing import Literal

import numpy as np
from PIL import Image

Mode = Literal["L", "RGB"]
"""Grey or colour, as Pillow calls them."""

TRANSPARENT = ("LA", "La", "PA", "RGBA", "RGBa")


def opaque(picture: Image.Image, mode: Mode) -> Image.Image:
    """The same picture in grey or in colour, what is transparent laid over white.

    Numbers of 16 bits become the 8 upper ones of them.
    """
    if picture.mode == "I;16":
        picture = _upper_bits(picture)
    elif not is_opaque(picture):
        picture = _over_white(picture)
    return picture if picture.mode == mode else picture.convert(mode)


def is_opaque(picture: Image.Image) -> bool:
    """Whether nothing of a picture can be transparent."""
    return picture.mode not in TRANSPARENT and "transparency" not in picture.info


def _upper_bits(picture: Image.Image) -> Image.Image:
    """Grey of 16 bits to grey of 8, which Pillow would clip; the value that is transparent is white."""
    values = np.asarray(picture)
    grey = (values >> 8).astype(np.uint8)
    if "transparency" in picture.info:
        grey[values == picture.info["transparency"]] = 255
    return Image.fromarray(grey)


def _over_white(picture: Image.Image) -> Image.Image:
    colour = picture.info.get("transparency")
    if isinstance(colour, tuple) and max(colour) > 255:
        # A PNG of 16 bits says it in 16, and Pillow has read the upper 8 of its pixels.
        picture = picture.copy()
        picture.info["transparency"] = tuple(part >> 8 for part in colour)
    coloured = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", coloured.size, "white"), coloured).convert("RGB")
