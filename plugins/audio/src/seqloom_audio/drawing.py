"""Random choices that follow from a generator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar, final

import torch

Item = TypeVar("Item")


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

    def below(self, end: int) -> int:
        """A whole number from 0 on, evenly."""
        return int(torch.randint(end, (), generator=self._generator))

    def one_of(self, items: Sequence[Item]) -> Item:
        """One of several, evenly."""
        return items[self.below(len(items))]
