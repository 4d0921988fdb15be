"""One model out of several moments of its training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import final

import torch
from torch import Tensor

from seqloom.model import Seq2Seq


def mean_weights(several: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of each weight over several checkpoints (Vaswani et al. 2017, section 6.1)."""
    return {
        name: torch.stack([weights[name].double() for weights in several]).mean(0).to(first.dtype)
        for name, first in several[0].items()
    }


@final
class MovingAverage:
    """The exponential moving average of a model's weights (after Polyak and Juditsky 1992), kept beside it.

    Args:
        model: Whose weights are averaged; its own are where the average begins.
        decay: Share of the average that stays at a step, once many were made. Early on less stays, for the
            random weights of the beginning to be forgotten.

    Attributes:
        weights: The average, by name.
    """

    def __init__(self, model: Seq2Seq, decay: float) -> None:
        self.decay = decay
        self._learning = model.weights()  # the model's own tensors, which change in place
        self.weights = {name: weight.clone() for name, weight in self._learning.items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Takes in the model's weights after a step, counted from 1; whole numbers become the model's."""
        share = 1 - min(self.decay, (1 + step) / (10 + step))
        for name, weight in self._learning.items():
            average = self.weights[name]
            if average.is_floating_point():
                average.lerp_(weight, share)
            else:
                average.copy_(weight)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The block in which the model has the average for its weights, and the average the model's."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def _swap(self) -> None:
        for name, weight in self._learning.items():
            own = weight.clone()
            weight.copy_(self.weights[name])
            self.weights[name].copy_(own)

    def load(self, weights: Mapping[str, Tensor]) -> None:
        """Goes on from an average that was saved."""
        for name, average in self.weights.items():
            average.copy_(weights[name])
