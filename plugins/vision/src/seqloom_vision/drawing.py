"""Random choices that follow from a generator."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor


@final
class Draw:
    """Draws numbers.

    Args:
        generator: Where they come from.
    """

    def __init__(self, generator: torch.Generator) -> None:
        self._generator = generator

    def between(self, low: float, high: float) -> float:
        """A number, evenly."""
        return low + (high - low) * torch.rand((), generator=self._generator).item()

    def around(self, middle: float, change: float) -> float:
        """A number at most ``change`` away from ``middle``, evenly."""
        return self.between(middle - change, middle + change)

    def below(self, end: int) -> int:
        """A whole number from 0 on, evenly."""
        return int(torch.randint(end, (), generator=self._generator))

    def normal(self, shape: torch.Size) -> Tensor:
        """Numbers of mean 0 and variance 1."""
        return torch.randn(shape, generator=self._generator)
