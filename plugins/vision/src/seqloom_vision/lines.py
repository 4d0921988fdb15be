"""Pictures of text lines to vectors, a few columns each: of any width, one height."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqloom.batch import Padded, length_mask
from seqloom.modality import Frontend
from seqloom.nn.dropout import Dropout


class LinesFrontend(Frontend):
    """Convolutions whose height is then made one vector (as in Shi et al. 2017, table 1, but smaller).

    Each block halves the height, and the first ones the width too. Columns of padding are set to zero
    after each, as the paper around a line is: a line's vectors are the same whatever it is padded with.

    Args:
        height: Rows of a line; each block halves them.
        width: D of what comes out.
        channels: Of each block.
        halvings: How many blocks halve the width, from the first on.
        dropout: Of the vectors.
    """

    def __init__(
        self, height: int, width: int, channels: Sequence[int], halvings: int, dropout: float
    ) -> None:
        super().__init__()
        before = (1, *channels[:-1])
        self.blocks = nn.ModuleList(
            Block(from_, to, halves_width=number < halvings)
            for number, (from_, to) in enumerate(zip(before, channels, strict=True))
        )
        self.project = nn.Linear(channels[-1] * (height >> len(channels)), width)
        self.dropout = Dropout(dropout)

    def forward(self, features: Padded) -> Padded:
        """Lines [B, T, h] uint8, ink high and paper 0, to [B, S, D]."""
        x, lengths = features.values.transpose(1, 2)[:, None], features.lengths
        x = x.to(self.project.weight.dtype) / 255  # [B, 1, h, T]
        for block in self.blocks:
            x, lengths = block(x, lengths)
        values: Tensor = self.dropout(self.project(x.permute(0, 3, 1, 2).flatten(2)))
        return Padded(values, lengths)


class Block(nn.Module):
    """A convolution, the greatest of neighbours, a norm, ReLU.

    The norm is over a line's real columns, so that no other line of a batch has a say (group norm of Wu
    and He 2018, with groups of at most 16 channels).

    Args:
        before: Channels in.
        after: Channels out.
        halves_width: Whether of two columns one is left; of two rows always.
    """

    def __init__(self, before: int, after: int, *, halves_width: bool) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(before, after, 3, padding=1, bias=False)
        self.stride = 2 if halves_width else 1
        self.groups = -(-after // 16)
        self.weight = nn.Parameter(torch.ones(after))
        self.bias = nn.Parameter(torch.zeros(after))

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """[B, C, h, T], padding 0, and lengths [B], to the same of what comes out."""
        pooled = F.max_pool2d(self.convolution(x), (2, self.stride))
        lengths = lengths // self.stride
        mask = length_mask(lengths, pooled.shape[-1])[:, None, None]
        return F.relu(self._normed(pooled, mask, lengths)) * mask, lengths

    def _normed(self, x: Tensor, mask: Tensor, lengths: Tensor) -> Tensor:
        grouped = x.unflatten(1, (self.groups, -1))
        count = (grouped.shape[2] * grouped.shape[3] * lengths.clamp(min=1)).view(-1, 1, 1, 1, 1)
        mean = (grouped * mask[:, None]).sum((2, 3, 4), keepdim=True) / count
        centred = (grouped - mean) * mask[:, None]
        variance = centred.square().sum((2, 3, 4), keepdim=True) / count
        normed = (centred * torch.rsqrt(variance + 1e-5)).flatten(1, 2)
        return normed * self.weight[:, None, None] + self.bias[:, None, None]
