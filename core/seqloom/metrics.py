"""Scores of hypotheses against references, each with a signature that says how it was computed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any


class Metric(ABC):
    """A score over a whole data set."""

    @abstractmethod
    def count(self, hypothesis: str, references: Sequence[str]) -> Any:
        """What one example contributes; JSON-able or a tuple, so that ranks may exchange it."""

    @abstractmethod
    def value(self, counts: Sequence[Any]) -> float:
        """The score of all examples together, on the scale its field reports it on."""

    @abstractmethod
    def signature(self) -> str:
        """Everything that two scores must share to be compared."""
