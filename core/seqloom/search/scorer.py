"""What a search asks: something that scores the next token."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Generic, NamedTuple, TypeVar

from torch import Tensor

from seqloom.batch import Memory
from seqloom.nn.decoder import AnyDecoder

ContextT = TypeVar("ContextT")
StateT = TypeVar("StateT")


class Scorer(ABC, Generic[ContextT, StateT]):
    """Gives normalised log-probabilities of next tokens.

    A decoder, a member of an ensemble, a language model or a CTC prefix score. Contexts and states are
    pytrees of tensors, [B, ..] and [B, K, ..], as for :class:`seqloom.nn.decoder.Decoder`.

    Attributes:
        longest: How many tokens it can score, EOS counted; None for any number.
        is_partial: Whether to ask it about the best tokens of other scorers only, as it is dear.
    """

    longest: int | None = None
    is_partial: bool = False

    @abstractmethod
    def prepare(self, memory: Memory) -> ContextT:
        """What stays the same for all hypotheses of a source."""

    @abstractmethod
    def start(self, context: ContextT, hypotheses: int) -> StateT:
        """The state before the first token."""

    @abstractmethod
    def score(
        self, context: ContextT, state: StateT, token: Tensor, candidates: Tensor | None = None
    ) -> tuple[Tensor, StateT]:
        """Log-probabilities (nats) of what follows ``token`` [B, K].

        Args:
            context: From :meth:`prepare`.
            state: From :meth:`start` or the last call.
            token: [B, K] int64, the token just chosen; BOS at first.
            candidates: [B, K, C] int64, the only tokens of interest; None means all.

        Returns:
            [B, K, V], or [B, K, C] where there are candidates, for the caller to keep and to change; and
            the next state.
        """


class Member(NamedTuple):
    """One voice of a search: a scorer, what it looks at, and its weight in the sum of log-probabilities."""

    scorer: Scorer[Any, Any]
    memory: Memory
    weight: float = 1.0


class DecoderScorer(Scorer[Any, Any]):
    """A decoder as a scorer."""

    def __init__(self, decoder: AnyDecoder) -> None:
        self.decoder = decoder
        self.longest = decoder.longest

    def prepare(self, memory: Memory) -> Any:
        return self.decoder.prepare(memory)

    def start(self, context: Any, hypotheses: int) -> Any:
        return self.decoder.start(context, hypotheses)

    def score(
        self, context: Any, state: Any, token: Tensor, candidates: Tensor | None = None
    ) -> tuple[Tensor, Any]:
        logits, state = self.decoder.step(context, state, token)
        scores = logits.float().log_softmax(-1)  # in fp32 whatever the model's dtype: scores add up
        return (scores if candidates is None else scores.gather(-1, candidates)), state
