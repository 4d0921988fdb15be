"""How good is a model that learns, and which of its checkpoints is the best?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from seqloom.errors import ConfigError
from seqloom.model import Seq2Seq
from seqloom.registry.records import Score


class Judge(Protocol):
    """Judges a model on ``data.valid``."""

    def __call__(self, model: Seq2Seq, step: int) -> list[Score]:
        """The scores of a model that has seen so many steps; a signal ends it as ``Interrupted``."""


class Goal(NamedTuple):
    """Which score says how good a model is.

    Attributes:
        metric: Its name.
        higher_is_better: Which way is up.
    """

    metric: str
    higher_is_better: bool

    def value(self, scores: Sequence[Score]) -> float:
        """The score that decides, among others.

        Raises:
            ConfigError: It is not among them.
        """
        values = {score.metric: score.value for score in scores}
        if self.metric not in values:
            raise ConfigError(
                f"evaluate.best: this model's head gives no {self.metric}; choose among {', '.join(values)}"
            )
        return values[self.metric]

    def costs(self, scores: Mapping[int, Sequence[Score]]) -> dict[int, float]:
        """The score that decides at each step, turned so that less is better."""
        sign = -1 if self.higher_is_better else 1
        return {step: sign * self.value(group) for step, group in scores.items()}

    def best(self, scores: Mapping[int, Sequence[Score]]) -> int | None:
        """The step with the best score, the earliest of equals; None where none is finite."""
        finite = {step: cost for step, cost in self.costs(scores).items() if math.isfinite(cost)}
        return min(finite, key=lambda step: (finite[step], step), default=None)

    def better(self, scores: Sequence[Score], than: Sequence[Score]) -> bool:
        """Whether some scores beat others."""
        value, other = self.value(scores), self.value(than)
        return value > other if self.higher_is_better else value < other


class Judging(NamedTuple):
    """How a training finds out how good its model is.

    Attributes:
        judge: Scores a model.
        goal: The score that decides which checkpoint is best.
        every: Steps between evaluations; there is one at the end, too.
        patience: Evaluations without a better score before training stops; None for never.
    """

    judge: Judge
    goal: Goal
    every: int
    patience: int | None = None
