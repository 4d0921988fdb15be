"""Files to what is kept of them: whole pictures of one size, text lines of one height."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from seqloom.errors import DataError
from seqloom_vision.reading import read_picture

Fit = Literal["crop", "pad", "stretch"]

COLUMNS: Final = 16_384  # of a line: what is wider in proportion to its height is no text line


@dataclass(frozen=True)
class PictureFeatures:
    """Reads whole pictures as one frame each.

    Attributes:
        side: Columns and rows of pixels.
        fit: How a picture becomes a square: ``crop`` takes its middle, ``pad`` puts white beside it,
            ``stretch`` gives up its proportions.
    """

    side: int
    fit: Fit

    def __call__(self, raw: str) -> Tensor:
        """A file to [1, 3, side, side] uint8.

        Raises:
            DataError: It is no picture that we read.
        """
        picture = read_picture(raw, "RGB", (self.side, self.side))
        pixels = torch.from_numpy(np.array(fitted(picture, self.side, self.fit)))
        return pixels.permute(2, 0, 1)[None].contiguous()


def fitted(picture: Image.Image, side: int, fit: Fit) -> Image.Image:
    """A picture as a square."""
    columns, rows = picture.size
    if fit == "pad":
        scale = side / max(columns, rows)
        inner = picture.resize((max(1, round(columns * scale)), max(1, round(rows * scale))))
        square = Image.new(picture.mode, (side, side), "white")
        square.paste(inner, ((side - inner.width) // 2, (side - inner.height) // 2))
        return square
    shorter = min(columns, rows)
    left, top = (columns - shorter) / 2, (rows - shorter) / 2
    box = (left, top, left + shorter, top + shorter) if fit == "crop" else None
    return picture.resize((side, side), box=box)


@dataclass(frozen=True)
class LineFeatures:
    """Reads text lines, column by column.

    Attributes:
        height: Rows of pixels.
        ink: Whether the writing is ``dark`` on a light ground, or ``light`` on a dark one.
    """

    height: int
    ink: Literal["dark", "light"]

    def __call__(self, raw: str) -> Tensor:
        """A file to [columns, height] uint8: ink is high, as beside a line there is none.

        Raises:
            DataError: It is no picture that we read, or far too wide.
        """
        picture = read_picture(raw, "L", (1, self.height))
        columns = max(1, round(picture.width * self.height / picture.height))
        if columns > COLUMNS:
            raise DataError(
                f"{picture.width} × {picture.height} pixels are {columns} columns at height {self.height}, "
                f"more than the {COLUMNS} that a text line may have",
                raw,
            )
        pixels = torch.from_numpy(np.array(picture.resize((columns, self.height))))
        return (255 - pixels if self.ink == "dark" else pixels).T.contiguous()
