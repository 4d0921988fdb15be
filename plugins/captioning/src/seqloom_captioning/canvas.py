"""Pictures beside each other on white, with text below."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import matplotlib
from PIL import Image, ImageDraw, ImageFont

MARGIN: Final = 10  # pixels
TEXT: Final = 15
LINE: Final = 19
INK, FAINT = "#1c1c1c", "#777777"


class Panel(NamedTuple):
    """A picture with a text below, and a fainter one below that."""

    picture: Image.Image
    text: str
    note: str = ""


def sheet(panels: Sequence[Panel], columns: int, side: int) -> Image.Image:
    """Panels row by row, each picture brought to a width.

    Args:
        panels: At least one.
        columns: Panels of a row at most.
        side: Columns of pixels that a picture has.
    """
    columns = min(columns, len(panels))
    rows = [panels[start : start + columns] for start in range(0, len(panels), columns)]
    heights = [max(_height(panel, side) for panel in row) for row in rows]
    size = (MARGIN + columns * (side + MARGIN), MARGIN + sum(height + MARGIN for height in heights))
    page = Image.new("RGB", size, "white")
    top = MARGIN
    for row, height in zip(rows, heights, strict=True):
        for column, panel in enumerate(row):
            _place(page, panel, (MARGIN + column * (side + MARGIN), top), side)
        top += height + MARGIN
    return page


def _place(page: Image.Image, panel: Panel, corner: tuple[int, int], side: int) -> None:
    left, top = corner
    picture = _scaled(panel.picture, side)
    page.paste(picture, corner)
    pen = ImageDraw.Draw(page)
    top += picture.height + MARGIN // 2
    for line in wrapped(panel.text, side):
        pen.text((left, top), line, INK, font())
        top += LINE
    if panel.note:
        pen.text((left, top), panel.note, FAINT, font(TEXT - 3))


def _height(panel: Panel, side: int) -> int:
    lines = len(wrapped(panel.text, side)) + bool(panel.note)
    return _rows(panel.picture, side) + MARGIN // 2 + LINE * lines


def _scaled(picture: Image.Image, side: int) -> Image.Image:
    smooth = Image.Resampling.LANCZOS
    return picture.convert("RGB").resize((side, _rows(picture, side)), smooth)


def _rows(picture: Image.Image, side: int) -> int:
    return max(1, round(picture.height * side / picture.width))


def wrapped(text: str, width: int) -> list[str]:
    """The lines that a text takes within so many pixels; a longer word has a line of its own."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font().getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


@cache
def font(size: int = TEXT) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which comes with matplotlib and has the letters of most European languages."""
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", size)


def square(count: int) -> int:
    """Columns of about as many rows."""
    return math.ceil(math.sqrt(count))
