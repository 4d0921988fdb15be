"""What a decoder is: a language model that may look at a memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

from torch import Tensor, nn

from seqloom.batch import Decoded, Memory, Padded

ContextT = TypeVar("ContextT")
StateT = TypeVar("StateT")


class Decoder(nn.Module, ABC, Generic[ContextT, StateT]):
    """Predicts a target token by token.

    Its two ways to run agree: :meth:`step` repeated equals :meth:`forward`. Contexts and states are
    pytrees of tensors (tuples, lists, dicts; see :func:`seqloom.batch.tree_map`): a search drops
    finished sources along B, gathers hypotheses along K, and knows nothing else of them.

    Attributes:
        longest: How many tokens it can write, EOS counted; None for any number.
    """

    longest: int | None = None

    @abstractmethod
    def forward(
        self,
        memory: Memory,
        tokens: Padded,
        *,
        at: Tensor | None = None,
        weights: bool = False,
    ) -> Decoded:
        """Teacher forcing: what comes after each of ``tokens``.

        Args:
            memory: What to look at. A decoder may ignore it: that is a language model.
            tokens: [B, U] int64, BOS first.
            at: [B, U] bool, the positions to predict, N of them. It saves the output layer's work on
                padding: the logits are then [N, V], in row-major order, instead of [B, U, V].
            weights: Whether to give the attention [B, U, S] (None for a decoder without one).
        """

    @abstractmethod
    def prepare(self, memory: Memory) -> ContextT:
        """What stays the same for all hypotheses of a source: tensors [B, ..], never expanded to K."""

    @abstractmethod
    def start(self, context: ContextT, hypotheses: int) -> StateT:
        """The state before the first token: tensors [B, K, ..]."""

    @abstractmethod
    def step(self, context: ContextT, state: StateT, token: Tensor) -> tuple[Tensor, StateT]:
        """One token [B, K] int64 further: (logits [B, K, V], the next state)."""


AnyDecoder = Decoder[Any, Any]
