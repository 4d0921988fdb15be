"""What a head is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from torch import nn

from seqloom.batch import Batch, Loss, Memory, Padded, Progress
from seqloom.config import DecodeConfig
from seqloom.errors import ConfigError

PredictionT = TypeVar("PredictionT")


class Head(nn.Module, ABC, Generic[PredictionT]):
    """The top of a model. A head over numbers needs no search."""

    @abstractmethod
    def forward(self, memory: Memory, batch: Batch, progress: Progress) -> Loss:
        """The loss of a batch that has targets."""

    @abstractmethod
    def check(self, options: DecodeConfig) -> None:
        """Looks whether it can search as it is told; called before a training, too.

        Raises:
            ConfigError: It cannot.
        """

    @abstractmethod
    def predict(self, memory: Memory, options: DecodeConfig) -> list[list[PredictionT]]:
        """For each source its predictions, best first.

        They carry what ``options`` ask for beside tokens and scores: ``attention``, and ``emissions``
        without times, which :class:`seqloom.model.Seq2Seq` knows.
        """

    def with_attention(
        self,
        memory: Memory,  # noqa: ARG002
        found: list[list[PredictionT]],
    ) -> list[list[PredictionT]]:
        """Predictions that :meth:`predict` gave, now with what each of their tokens looked at.

        To override where there is attention; without, they are returned as they are.

        Args:
            memory: What they were found in.
            found: For each source some of its predictions.
        """
        return found


def required(target: Padded | None) -> Padded:
    """A batch's target.

    Raises:
        ValueError: There is none.
    """
    if target is None:
        raise ValueError("a loss needs targets; this batch has none")
    return target


def refuse_min_length(options: DecodeConfig) -> None:
    """Refuses a shortest length where CTC has a say: a source has as many tokens as it has positions for.

    Raises:
        ConfigError: One is asked for.
    """
    if options.min_length:
        raise ConfigError(
            f"decode.min_length {options.min_length} asks for tokens that CTC may have no positions for: "
            "take it out, or leave all scores to a decoder (decode.ctc 0)"
        )
