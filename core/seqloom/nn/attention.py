"""What an attention over a source is, and the classics: additive and dot-product."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

from torch import Tensor, nn

from seqloom.batch import Memory

KeysT = TypeVar("KeysT")
AttentionStateT = TypeVar("AttentionStateT")


class Attention(nn.Module, ABC, Generic[KeysT, AttentionStateT]):
    """Looks queries up in a memory. Self-attention is the Transformer's own affair.

    Attributes:
        width: D of the context it returns.
        sequential: Whether a query's weights depend on those of the query before it. Where they do
            not, the K of :meth:`forward` may as well be the U positions of one target.
    """

    width: int
    sequential: bool

    @abstractmethod
    def prepare(self, memory: Memory) -> KeysT:
        """Projects the memory once per source; a pytree of tensors [B, ..]."""

    @abstractmethod
    def start(self, keys: KeysT, hypotheses: int) -> AttentionStateT:
        """The state before the first query: a pytree of tensors [B, K, ..], maybe empty."""

    @abstractmethod
    def forward(
        self, query: Tensor, keys: KeysT, state: AttentionStateT
    ) -> tuple[Tensor, Tensor, AttentionStateT]:
        """Queries [B, K, Q] to (context [B, K, D], weights [B, K, S], the next state).

        Weights are zero on padding and sum to one.
        """


AnyAttention = Attention[Any, Any]
