"""Whole pictures as a grid of vectors, row by row."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor, nn

from seqloom.batch import Padded
from seqloom.modality import Frontend
from seqloom.nn.positions import sinusoids
from seqloom_vision.features import middle

Colour = tuple[float, float, float]
"""Red, green and blue, from 0 to 1."""


class ImageFrontend(Frontend, ABC):
    """A front end whose positions lie somewhere in the picture."""

    @abstractmethod
    def grid(self, length: int) -> tuple[int, int]:
        """Rows and columns that the positions of an input of T = ``length`` are, row by row."""


class Trunk(nn.Module, ABC):
    """The layers that see a picture, each position of what comes out a part of it.

    Attributes:
        size: Side of the pictures in pixels.
        channels: C of what comes out.
        shape: Rows and columns of what comes out.
        mean: What pixels are moved by before they go in.
        deviation: What they are divided by after that.
        is_fixed: Whether none of it ever learns.
    """

    size: int
    channels: int
    shape: tuple[int, int]
    mean: ClassVar[Colour] = (0.5, 0.5, 0.5)
    deviation: ClassVar[Colour] = (0.25, 0.25, 0.25)
    is_fixed: bool = False

    @abstractmethod
    def forward(self, pictures: Tensor) -> Tensor:
        """[N, 3, size, size] to [N, C, rows, columns]."""

    def load_pretrained(self) -> None:
        """Takes the weights that it is to begin with, where there are any."""
        return


class GridFrontend(ImageFrontend):
    """A trunk's positions as vectors of the model's width, with where they are.

    Where they are is told by waves (Vaswani et al. 2017, section 3.5), half of the width for the row and
    half for the column.

    Args:
        trunk: Sees the pictures.
        width: D.
    """

    stride = None  # a position is a part of a picture, and a picture one of the input's

    mean: Tensor
    deviation: Tensor
    positions: Tensor

    def __init__(self, trunk: Trunk, width: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.has_fixed_part = trunk.is_fixed
        self.norm = nn.LayerNorm(trunk.channels)
        self.project = nn.Linear(trunk.channels, width)
        self.register_buffer("mean", _colour(trunk.mean), persistent=False)
        self.register_buffer("deviation", _colour(trunk.deviation), persistent=False)
        self.register_buffer("positions", grid_positions(*trunk.shape, width), persistent=False)

    def grid(self, length: int) -> tuple[int, int]:
        rows, columns = self.trunk.shape
        return (length // columns if self.is_given_fixed else length * rows), columns

    def load_pretrained(self) -> None:
        self.trunk.load_pretrained()

    def forward(self, features: Padded) -> Padded:
        """[B, T, 3, H, W] uint8, whose middle is looked at, to [B, T · rows · columns, D]."""
        seen = features if self.is_given_fixed else self.fixed_part(features)
        vectors = self.project(self.norm(seen.values)).unflatten(1, (-1, len(self.positions)))
        return seen._replace(values=(vectors + self.positions).flatten(1, 2))

    def fixed_part(self, features: Padded) -> Padded:
        """What the trunk sees: [B, T · rows · columns, C]."""
        batch = len(features.lengths)
        seen = self.trunk(self.normalized(features.values.flatten(0, 1))).flatten(2).transpose(1, 2)
        positions = seen.shape[1]
        return Padded(seen.reshape(batch, -1, self.trunk.channels), features.lengths * positions)

    def normalized(self, pictures: Tensor) -> Tensor:
        """[N, 3, H, W] uint8 to [N, 3, size, size], its channels last in memory."""
        scaled = (middle(pictures, self.trunk.size) / 255 - self.mean) / self.deviation
        return scaled.contiguous(memory_format=torch.channels_last)


def grid_positions(rows: int, columns: int, width: int) -> Tensor:
    """[rows · columns, D]: waves that tell the row, beside waves that tell the column."""
    by_row = sinusoids(rows, width // 2)[:, None].expand(-1, columns, -1)
    by_column = sinusoids(columns, width - width // 2).expand(rows, -1, -1)
    return torch.cat([by_row, by_column], dim=-1).flatten(0, 1)


def _colour(parts: Colour) -> Tensor:
    return torch.tensor(parts)[:, None, None]
