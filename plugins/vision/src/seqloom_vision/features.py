"""Files to what is kept of them, and back to what can be shown: whole pictures, and text lines."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from seqloom.errors import DataError
from seqloom_vision.reading import read_picture

Fit = Literal["crop", "pad", "stretch"]

FILTER: Final = Image.Resampling.BILINEAR  # over as many pixels as become one
GROUND: Final = 0.1  # of a line's pixels may be less than its ground, which is less than its ink
COLUMNS: Final = 16_384  # of a line: what is wider in proportion to its height is no text line


class Features(ABC):
    """What is kept of one kind of picture."""

    @abstractmethod
    def read(self, raw: str) -> Tensor:
        """A file to features [T, *F] uint8.

        Raises:
            DataError: It is no picture that we read.
        """

    @abstractmethod
    def seen(self, features: Tensor) -> Tensor:
        """Features [T, *F] to what a model sees of them: [frames, 3, rows, columns] uint8."""


@dataclass(frozen=True)
class PictureFeatures(Features):
    """Whole pictures of one frame.

    Attributes:
        size: Columns and rows of pixels that a model sees: the middle of what is kept.
        side: Those that are kept.
        fit: How a picture becomes a square: ``crop`` takes its middle, ``pad`` puts white beside it,
            ``stretch`` gives up its proportions.
    """

    size: int
    side: int
    fit: Fit

    def read(self, raw: str) -> Tensor:
        """A file to [1, 3, side, side]."""
        picture = read_picture(raw, "RGB", (self.side, self.side))
        pixels = torch.from_numpy(np.array(fitted(picture, self.side, self.fit)))
        return pixels.permute(2, 0, 1)[None].contiguous()

    def seen(self, features: Tensor) -> Tensor:
        return middle(features, self.size)


def middle(pictures: Tensor, size: int) -> Tensor:
    """[.., H, W] to its middle [.., size, size]."""
    top, left = ((extent - size) // 2 for extent in pictures.shape[-2:])
    return pictures[..., top : top + size, left : left + size]


def fitted(picture: Image.Image, side: int, fit: Fit) -> Image.Image:
    """A picture as a square."""
    columns, rows = picture.size
    if fit == "pad":
        scale = side / max(columns, rows)
        inner = picture.resize((max(1, round(columns * scale)), max(1, round(rows * scale))), FILTER)
        square = Image.new(picture.mode, (side, side), "white")
        square.paste(inner, ((side - inner.width) // 2, (side - inner.height) // 2))
        return square
    shorter = min(columns, rows)
    left, top = (columns - shorter) / 2, (rows - shorter) / 2
    box = (left, top, left + shorter, top + shorter) if fit == "crop" else None
    return picture.resize((side, side), FILTER, box)


def ground_of(line: Tensor) -> int:
    """What a line [T, h] has where it has no ink."""
    return int(line.float().quantile(GROUND))


@dataclass(frozen=True)
class LineFeatures(Features):
    """Text lines, column by column; ink is high, as beside a line there is none.

    Attributes:
        height: Rows of pixels.
        ink: Whether the writing is ``dark`` on a light ground, or ``light`` on a dark one.
    """

    height: int
    ink: Literal["dark", "light"]

    def read(self, raw: str) -> Tensor:
        """A file to [columns, height].

        A picture that is far too wide for its height is no line. One that is less wide than high, as a
        single letter, gets more of its ground: there must be something to compare its ink with.
        """
        picture = read_picture(raw, "L", (1, self.height))
        columns = max(1, round(picture.width * self.height / picture.height))
        if columns > COLUMNS:
            raise DataError(
                f"{picture.width} × {picture.height} pixels are {columns} columns at height {self.height}, "
                f"more than the {COLUMNS} that a text line may have",
                raw,
            )
        pixels = torch.from_numpy(np.array(picture.resize((columns, self.height), FILTER)))
        line = self._inked(pixels).T.contiguous()
        ground = line.new_full((max(0, self.height - columns), self.height), ground_of(line))
        return torch.cat([line, ground])

    def seen(self, features: Tensor) -> Tensor:
        return self._inked(features.T).expand(1, 3, -1, -1)

    def _inked(self, pixels: Tensor) -> Tensor:
        return 255 - pixels if self.ink == "dark" else pixels
