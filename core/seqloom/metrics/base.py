"""What a score is, and the two that need no text."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from seqloom.errors import DataError

ItemsT = TypeVar("ItemsT", bound=Sequence[Any])


class Metric(ABC):
    """A score over a whole data set."""

    @abstractmethod
    def count(self, hypothesis: str, references: Sequence[str]) -> Any:
        """What one example contributes; JSON-able or a tuple, so that ranks may exchange it."""

    @abstractmethod
    def value(self, counts: Sequence[Any]) -> float:
        """The score of all examples together, on the scale its field reports it on."""

    def parts(self, counts: Sequence[Any]) -> Mapping[str, int]:  # noqa: ARG002
        """The sums that the score of all examples together is made of, by name; none by default.

        To override for a score that says more taken apart, as an error rate does by kinds of errors. First
        is what the others are counted over, named as people count it: ``words``.
        """
        return {}

    @abstractmethod
    def signature(self) -> str:
        """Everything that two scores must share to be compared."""


def perplexity(nll: float, tokens: int) -> float:
    """The exponential of the mean negative log-likelihood (nats) of a token; infinite past float64."""
    try:
        return math.exp(nll / tokens)
    except OverflowError:
        return math.inf


def accuracy(correct: int, tokens: int) -> float:
    """Percentage of tokens predicted right when the model has read the right ones before them."""
    return 100 * correct / tokens


def some(items: ItemsT) -> ItemsT:
    """References of a hypothesis, or counts of examples, given back.

    Raises:
        DataError: There are none.
    """
    if not items:
        raise DataError("a score needs at least one hypothesis, and a reference for each")
    return items
