"""Text lines of different widths as sequences of vectors."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Final

import torch
import torch.nn.functional as F
from torch import nn

from seqloom.batch import Padded
from seqloom.errors import ConfigError
from seqloom_vision.frontends.grid import ImageFrontend
from seqloom_vision.frontends.stages import Stage, masked

GROUP: Final = 1  # channels normalised together: one, so that faded ink is as dark as any other


class Lines(ImageFrontend):
    """Convolutions over a line's height and width (Shi et al. 2017); then a column is one vector.

    All that is computed beside a line is set to zero after each layer, as if there were nothing: a line is
    the same alone and beside longer ones.

    Args:
        width: D.
        height: Rows of pixels.
        channels: Of each stage. Each halves the height.
        blocks: Residual blocks of each stage.
        subsampling: Columns of pixels of one position: a power of two. The first stages halve the width.

    Raises:
        ConfigError: There are too few stages for such a subsampling.
    """

    stride: int

    def __init__(
        self, width: int, height: int, channels: Sequence[int], blocks: int = 0, subsampling: int = 4
    ) -> None:
        super().__init__()
        strides = [2 if 2**number < subsampling else 1 for number in range(len(channels))]
        if prod(strides) != subsampling:
            raise ConfigError(
                f"{len(channels)} stages cannot make one column of {subsampling}: "
                "name more channels, or choose less subsampling"
            )
        self.stride = subsampling
        self.stages = nn.ModuleList(
            Stage(before, after, (stride, 2), blocks, GROUP)
            for before, after, stride in zip([1, *channels], channels, strides, strict=False)
        )
        column = channels[-1] * -(-height // 2 ** len(channels))
        self.norm = nn.LayerNorm(column)
        self.project = nn.Linear(column, width)

    def grid(self, length: int) -> tuple[int, int]:
        return 1, -(-length // self.stride)

    def forward(self, features: Padded) -> Padded:
        """Columns [B, T, height] uint8, high where there is ink, to [B, T / subsampling, D]."""
        x = features.values[:, None].to(self.project.weight.dtype) / 255  # [B, 1, T, height]
        x = F.pad(masked(x, features.lengths), (0, 0, 0, -x.shape[2] % self.stride))
        x = x.contiguous(memory_format=torch.channels_last)
        # The last position may reach over the line's end: what is there is paper, and belongs to it.
        lengths = (features.lengths + self.stride - 1) // self.stride * self.stride
        for stage in self.stages:
            x, lengths = stage(x, lengths)
        columns = x.transpose(1, 2).flatten(2)  # [B, S, C · height']
        return Padded(self.project(self.norm(columns)), lengths)
