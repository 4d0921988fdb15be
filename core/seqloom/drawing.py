"""Random choices for variations of inputs, all of which follow from a generator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar, final

import torch
from torch import Tensor

Item = TypeVar("Item")


@final
class Draw:
    """Draws numbers, as :meth:`seqloom.modality.Modality.augment` may need them.

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

    def one_of(self, items: Sequence[Item]) -> Item:
        """One of several, evenly."""
        return items[self.below(len(items))]

    def normal(self, shape: Sequence[int]) -> Tensor:
        """Numbers of mean 0 and variance 1, in a tensor of a shape."""
        return torch.randn(tuple(shape), generator=self._generator)
