"""Stages of convolutions, for pictures of one size and for padded ones of different heights."""

from __future__ import annotations

from typing import Final, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqloom.batch import length_mask

EPSILON: Final = 1e-5  # added to a variance
FIRST_SHARE: Final = 0.1  # of a block's own work in what comes out of it, before it has learned


@final
class Stage(nn.Module):
    """A convolution, the greatest of neighbours on a coarser grid, and residual blocks on that.

    What is found in a part of the picture and where is kept by the maximum; convolutions that skip
    positions lose it, and learn from few pictures far more slowly.

    Args:
        before: C of what goes in.
        after: C of what comes out.
        stride: Rows and columns that become one.
        blocks: How many residual blocks.
        group: Channels that are normalised together; they divide ``after``.
    """

    def __init__(self, before: int, after: int, stride: tuple[int, int], blocks: int, group: int) -> None:
        super().__init__()
        self.stride = stride
        self.convolution = nn.Conv2d(before, after, 3, padding=1, bias=False)
        self.norm = GroupNorm(after, group)
        self.blocks = nn.ModuleList(Block(after, group) for _ in range(blocks))

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """[N, C, H, W] to [N, C', H', W'], divided by the stride and rounded up.

        Args:
            x: Zero in rows that are not real.
            lengths: [N] how many rows are real, multiples of the stride; None for all.

        Returns:
            The same of what comes out.
        """
        x = F.max_pool2d(self.convolution(x), self.stride, ceil_mode=True)
        lengths = None if lengths is None else lengths // self.stride[0]
        x = masked(F.relu(self.norm(x, lengths)), lengths)
        for block in self.blocks:
            x = block(x, lengths)
        return x, lengths


@final
class Block(nn.Module):
    """Two convolutions, and what went in added (He et al. 2016).

    What is added begins small, so that the block begins as if it were not there: Goyal et al. 2017,
    section 5.1, have it begin at zero, where the first convolution would not learn.

    Args:
        channels: C of what goes in and comes out.
        group: Channels that are normalised together.
    """

    def __init__(self, channels: int, group: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.first_norm = GroupNorm(channels, group)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.second_norm = GroupNorm(channels, group)
        nn.init.constant_(self.second_norm.weight, FIRST_SHARE)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """[N, C, H, W] to the same shape; rows that are not real are zero, and stay so."""
        inner = masked(F.relu(self.first_norm(self.first(x), lengths)), lengths)
        return masked(F.relu(x + self.second_norm(self.second(inner), lengths)), lengths)


@final
class GroupNorm(nn.Module):
    """Normalises groups of channels within each picture (Wu and He 2018), over its real rows alone.

    Not over the batch: so what comes out never depends on other pictures, in training neither.

    Args:
        channels: C.
        group: How many are normalised together; they divide C.
    """

    def __init__(self, channels: int, group: int) -> None:
        super().__init__()
        self.group = group
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """[N, C, H, W] to the same shape; rows that are not real may be anything.

        Args:
            x: To normalise.
            lengths: [N] how many rows are real, None for all.
        """
        if lengths is None:
            return F.group_norm(x, x.shape[1] // self.group, self.weight, self.bias, EPSILON)
        values = x.to(self.weight.dtype)
        centred = values - self._means(values, lengths)
        scale = (self._means(centred.square(), lengths) + EPSILON).rsqrt() * self.weight[:, None, None]
        return torch.addcmul(self.bias[:, None, None], centred, scale)

    def _means(self, values: Tensor, lengths: Tensor) -> Tensor:
        """[N, C, H, W] to the mean of its group for each channel [N, C, 1, 1], over real rows."""
        rows = values.sum(3) * length_mask(lengths, values.shape[2])[:, None]  # [N, C, H]
        sums = rows.sum(2).view(len(values), -1, self.group).sum(2)  # [N, G]
        means = sums / (lengths * (values.shape[3] * self.group))[:, None]
        return means.repeat_interleave(self.group, dim=1)[:, :, None, None]


def masked(x: Tensor, lengths: Tensor | None) -> Tensor:
    """[N, C, H, W] with zeros in the rows from ``lengths`` [N] on."""
    if lengths is None:
        return x
    return x * length_mask(lengths, x.shape[2])[:, None, :, None]
