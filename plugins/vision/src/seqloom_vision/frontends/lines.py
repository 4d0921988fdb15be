"""Text lines of different widths as sequences of vectors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import cast

import torch
from torch import nn

from seqloom.batch import Padded
from seqloom.errors import ConfigError
from seqloom_vision.frontends.grid import ImageFrontend
from seqloom_vision.frontends.residual import Block, masked, stage


class Lines(ImageFrontend):
    """Residual blocks over a line's height and width; then what is left of a column is one vector.

    All that is computed beside a line is set to zero after each layer, as if there were nothing: a line is
    the same alone and beside longer ones.

    Args:
        width: D.
        height: Rows of pixels.
        channels: Of each stage; multiples of 8. Each stage halves the height.
        blocks: Of each stage.
        subsampling: Columns of pixels of one position: a power of two. The first stages halve the width.

    Raises:
        ConfigError: There are too few stages for such a subsampling.
    """

    def __init__(
        self, width: int, height: int, channels: Sequence[int], blocks: int = 1, subsampling: int = 4
    ) -> None:
        super().__init__()
        strides = [2 if 2**number < subsampling else 1 for number in range(len(channels))]
        if prod(strides) != subsampling:
            raise ConfigError(
                f"{len(channels)} stages cannot make one column of {subsampling}: "
                "name more channels, or choose less subsampling"
            )
        self.strides = strides
        self.subsampling = subsampling
        self.stages = nn.ModuleList(
            stage(before, after, blocks, (stride, 2))
            for before, after, stride in zip([1, *channels], channels, strides, strict=False)
        )
        column = channels[-1] * -(-height // 2 ** len(channels))
        self.norm = nn.LayerNorm(column)
        self.project = nn.Linear(column, width)

    def grid(self, length: int) -> tuple[int, int]:
        return 1, -(-length // self.subsampling)

    def forward(self, features: Padded) -> Padded:
        """Columns [B, T, height] uint8, high where there is ink, to [B, T / subsampling, D]."""
        lengths = features.lengths
        x = masked(features.values[:, None] / 255, lengths)  # [B, 1, T, height]
        x = x.contiguous(memory_format=torch.channels_last)
        for blocks, stride in zip(self.stages, self.strides, strict=True):
            lengths = (lengths + stride - 1) // stride
            for block in cast("Iterable[Block]", blocks):  # a ModuleList does not say of what
                x = block(x, lengths)
        columns = x.transpose(1, 2).flatten(2)  # [B, S, C · height']
        return Padded(self.project(self.norm(columns)), lengths)
