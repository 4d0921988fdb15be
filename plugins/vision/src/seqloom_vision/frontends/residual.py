"""Residual blocks (He et al. 2016) for pictures of one size, and for padded ones of different heights."""

from __future__ import annotations

from typing import Final, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqloom.batch import length_mask

GROUP: Final = 8  # channels that are normalised together
EPSILON: Final = 1e-5  # added to a variance


@final
class GroupNorm(nn.Module):
    """Normalises groups of channels within each picture (Wu and He 2018), over its real rows alone.

    Not over the batch: so what comes out never depends on other pictures, in training neither.

    Args:
        channels: A multiple of 8.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.groups = channels // GROUP
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """[N, C, H, W] to the same shape.

        Args:
            x: Zero in rows that are not real.
            lengths: [N] how many rows are real, None for all.
        """
        if lengths is None:
            return F.group_norm(x, self.groups, self.weight, self.bias, EPSILON)
        count = (lengths * (x.shape[3] * GROUP))[:, None]  # [N, 1]
        values = x.float()
        mean = self._sums(values) / count  # [N, G]
        variance = (self._sums(values.square()) / count - mean.square()).clamp(min=0)
        scale = self._each((variance + EPSILON).rsqrt()) * self.weight
        shift = self.bias - self._each(mean) * scale
        return masked(values * scale[:, :, None, None] + shift[:, :, None, None], lengths)

    def _sums(self, values: Tensor) -> Tensor:
        """[N, C, H, W] to the sums of its groups [N, G]."""
        return values.sum((2, 3)).view(-1, self.groups, GROUP).sum(2)

    def _each(self, groups: Tensor) -> Tensor:
        """[N, G] to [N, C]: what a group has, for each of its channels."""
        return groups.repeat_interleave(GROUP, dim=1)


@final
class Block(nn.Module):
    """Two convolutions, with what went in added; on a coarser grid, its means (He, T. et al. 2019, 4.2).

    Args:
        before: C of what goes in.
        after: C of what comes out, a multiple of 8.
        stride: Rows and columns that become one.
    """

    def __init__(self, before: int, after: int, stride: tuple[int, int] = (1, 1)) -> None:
        super().__init__()
        self.stride = stride
        self.first = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
        self.first_norm = GroupNorm(after)
        self.second = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.second_norm = GroupNorm(after)
        self.shortcut = (
            nn.Identity() if before == after and stride == (1, 1) else nn.Conv2d(before, after, 1)
        )

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """[N, C, H, W] to [N, C', H', W'], divided by the stride and rounded up.

        Args:
            x: Zero in rows that are not real.
            lengths: [N] how many rows of what comes out are real, None for all; the others are zero.
        """
        inner = F.relu(self.first_norm(masked(self.first(x), lengths), lengths))
        inner = self.second_norm(masked(self.second(inner), lengths), lengths)
        return F.relu(inner + masked(self.shortcut(self._means(x)), lengths))

    def _means(self, x: Tensor) -> Tensor:
        """Of each stride; what reaches over the edge counts as zero, as padding is."""
        if self.stride == (1, 1):
            return x
        (rows, columns), (height, width) = self.stride, x.shape[2:]
        return F.avg_pool2d(F.pad(x, (0, -width % columns, 0, -height % rows)), self.stride)


def masked(x: Tensor, lengths: Tensor | None) -> Tensor:
    """[N, C, H, W] with zeros in the rows from ``lengths`` [N] on."""
    if lengths is None:
        return x
    return x * length_mask(lengths, x.shape[2])[:, None, :, None]


def stage(before: int, after: int, blocks: int, stride: tuple[int, int]) -> nn.ModuleList:
    """Blocks one after another, of which the first has a stride."""
    return nn.ModuleList([Block(before, after, stride), *(Block(after, after) for _ in range(1, blocks))])
