"""Samples in rows of one hop each, so that lengths are counted in frames wherever they travel.

After its samples, a row may have marks for features, and numbers of the whole sound.
"""

from __future__ import annotations

from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

GREATEST: Final = 32_767
"""Of 16 bits."""


def rows_of(samples: Tensor, hop: int) -> Tensor:
    """[samples] in units of 16 bits to int16 [T, hop]; the last row is filled with silence."""
    if samples.is_floating_point():
        samples = samples.round().clamp(-GREATEST - 1, GREATEST).to(torch.int16)
    return F.pad(samples, (0, -len(samples) % hop)).view(-1, hop)


def with_numbers(rows: Tensor, numbers: Tensor) -> Tensor:
    """Rows [T, n] int16, each of which brings numbers [M] float32 with it: [T, n + 2 M]."""
    return torch.cat([rows, numbers.view(torch.int16).expand(len(rows), -1)], 1)


def numbers_of(rows: Tensor, count: int) -> Tensor:
    """The numbers [B, M] float32 that rows [B, T, n + 2 M] bring."""
    bits = rows[:, 0, rows.shape[2] - 2 * count :].clone(memory_format=torch.contiguous_format)
    return bits.view(torch.float32)
