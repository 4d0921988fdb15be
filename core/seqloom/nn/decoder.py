"""What a decoder is: a language model that may look at a memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

from torch import Tensor, nn

from seqloom.batch import Decoded, Memory, Padded, tree_map

ContextT = TypeVar("ContextT")
StateT = TypeVar("StateT")


class Decoder(nn.Module, ABC, Generic[ContextT, StateT]):
    """Predicts a target token by token.

    Its two ways to run agree: :meth:`step` repeated equals :meth:`forward`. Contexts and states are
    pytrees of tensors (tuples, lists, dicts; see :func:`seqloom.batch.tree_map`): a search drops
    finished sources along B, gathers hypotheses along K (see :func:`select`), and knows nothing else of
    them.

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
        """The state before the first token: tensors [B, K, ..], or [B, ..] where they are ``Shared``."""

    @abstractmethod
    def step(self, context: ContextT, state: StateT, token: Tensor) -> tuple[Tensor, StateT]:
        """One token [B, K] int64 further: (logits [B, K, V], the next state).

        It may write to what is :class:`seqloom.batch.Shared` in ``state``, which no other step may then
        begin with.
        """


def select(state: StateT, hypotheses: Tensor, sources: Tensor | None) -> StateT:
    """The state of the hypotheses that go on.

    Args:
        state: Of all hypotheses of now.
        hypotheses: [B', K'] int64, positions in the flattened [B * K] of now.
        sources: [B'] int64, rows of now; None where all go on.
    """
    flat = hypotheses.flatten()

    def gathered(part: Tensor) -> Tensor:
        return part.flatten(0, 1).index_select(0, flat).view(*hypotheses.shape, *part.shape[2:])

    def shared(part: Tensor) -> Tensor:
        return part if sources is None else part[sources]

    return tree_map(gathered, state, shared)


AnyDecoder = Decoder[Any, Any]
