"""Vectors that say where in a sequence something stands."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from seqloom.errors import DataError

BASE = 10_000.0  # the longest wave is 2π times as many positions: Vaswani et al. 2017, section 3.5
FIRST_TABLE = 512  # positions computed at once; a longer sequence computes more


class Positions(nn.Module, ABC):
    """Gives the vectors of positions, to be added to those of what stands there.

    Attributes:
        limit: How many positions there are; None for any number.
    """

    limit: int | None = None

    @abstractmethod
    def forward(self, start: int, length: int, device: torch.device) -> Tensor:
        """The positions from ``start`` on: [length, D]."""


class SinusoidalPositions(Positions):
    """Fixed waves (Vaswani et al. 2017, section 3.5); any length will do.

    Their table grows with the longest sequence met. It is not saved, and no buffer either: processes
    that train one model together may have met different lengths.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.table = sinusoids(0, width)

    def forward(self, start: int, length: int, device: torch.device) -> Tensor:
        end = start + length
        if end > len(self.table) or device != self.table.device:
            with torch.inference_mode(False):  # what is made within it, a training could not use
                self.table = sinusoids(max(FIRST_TABLE, 2 * end), self.width, device)
        return self.table[start:end]


class LearnedPositions(Positions):
    """Learned vectors (Gehring et al. 2017, section 3.1).

    Args:
        width: D.
        limit: How many positions there are.
    """

    def __init__(self, width: int, limit: int) -> None:
        super().__init__()
        self.limit = limit
        self.weight = nn.Parameter(torch.randn(limit, width) * width**-0.5)

    def forward(self, start: int, length: int, device: torch.device) -> Tensor:  # noqa: ARG002
        end = start + length
        if end > len(self.weight):
            raise DataError(
                f"a sequence has {end} positions, and the model learned only {len(self.weight)}: "
                "shorten it, or train with more max_positions or with sinusoidal positions"
            )
        return self.weight[start:end]


def sinusoids(length: int, width: int, device: torch.device | None = None) -> Tensor:
    """[length, D] in fp32: sin(t / 10000^(2i/D)) in column 2i, the cosine of the same beside it."""
    columns = torch.arange(0, width, 2, device=device, dtype=torch.float64)
    times = torch.arange(length, device=device, dtype=torch.float64)
    angles = times[:, None] * BASE ** (-columns / width)  # [length, D/2]
    waves = torch.stack([angles.sin(), angles.cos()], dim=-1)  # [length, D/2, 2]
    return waves.flatten(1)[:, :width].float()
