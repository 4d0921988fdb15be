"""What an attention over a source is, and the classics: additive, location-aware and dot-product."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Generic, NamedTuple, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqloom.batch import Memory
from seqloom.nn.convolution import margin

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


class Keys(NamedTuple):
    """A memory, ready to be looked up.

    Attributes:
        keys: [B, S, A], what queries are compared with.
        values: [B, S, D], what contexts are made of.
        mask: [B, 1, S] bool, True = real.
    """

    keys: Tensor
    values: Tensor
    mask: Tensor


NoState = tuple[()]
"""The state of an attention that does not depend on where it looked before."""


class AdditiveAttention(Attention[Keys, NoState]):
    """A small network compares query and key (Bahdanau et al. 2015, appendix A.1.2).

    Args:
        query_width: Q.
        memory_width: D of the memory's values, and of the contexts.
        hidden: Width that queries and keys are compared in.
    """

    sequential = False

    def __init__(self, query_width: int, memory_width: int, hidden: int) -> None:
        super().__init__()
        self.width = memory_width
        self.query = nn.Linear(query_width, hidden, bias=False)
        self.key = nn.Linear(memory_width, hidden)
        self.score = nn.Linear(hidden, 1, bias=False)

    def prepare(self, memory: Memory) -> Keys:
        return Keys(self.key(memory.values), memory.values, memory.mask()[:, None])

    def start(self, keys: Keys, hypotheses: int) -> NoState:  # noqa: ARG002
        return ()

    def forward(self, query: Tensor, keys: Keys, state: NoState) -> tuple[Tensor, Tensor, NoState]:
        compared = torch.tanh(self.query(query)[:, :, None] + keys.keys[:, None])  # [B, K, S, A]
        context, weights = _average(self.score(compared).squeeze(-1), keys)
        return context, weights, state


class LocationAttention(Attention[Keys, Tensor]):
    """Additive attention that sees where it looked last (Chorowski et al. 2015, section 2.2).

    Filters run over the last weights, and what they find around a position is compared along with its
    key. Before the first query nothing has been looked at: all weights are zero.

    Args:
        query_width: Q.
        memory_width: D of the memory's values, and of the contexts.
        hidden: Width that queries and keys are compared in.
        filters: How many filters.
        kernel: Positions that a filter spans, an odd number.
        smoothing: Whether weights are sigmoids of scores over their sum, rather than exponentials: they
            then do not gather at single positions (section 2.3).

    Raises:
        ConfigError: An even ``kernel``.
    """

    sequential = True

    def __init__(
        self,
        query_width: int,
        memory_width: int,
        hidden: int,
        *,
        filters: int = 10,
        kernel: int = 31,
        smoothing: bool = False,
    ) -> None:
        super().__init__()
        self.width = memory_width
        self.smoothing = smoothing
        self.query = nn.Linear(query_width, hidden, bias=False)
        self.key = nn.Linear(memory_width, hidden)
        self.filters = nn.Conv1d(1, filters, kernel, padding=margin(kernel), bias=False)
        self.location = nn.Linear(filters, hidden, bias=False)
        self.score = nn.Linear(hidden, 1, bias=False)

    def prepare(self, memory: Memory) -> Keys:
        return Keys(self.key(memory.values), memory.values, memory.mask()[:, None])

    def start(self, keys: Keys, hypotheses: int) -> Tensor:
        """Weights [B, K, S]."""
        batch, size, _ = keys.keys.shape
        return keys.keys.new_zeros(batch, hypotheses, size)

    def forward(self, query: Tensor, keys: Keys, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        found = self.filters(state.flatten(0, 1)[:, None]).transpose(1, 2)  # [B * K, S, filters]
        location = self.location(found).unflatten(0, state.shape[:2])  # [B, K, S, A]
        compared = torch.tanh(self.query(query)[:, :, None] + keys.keys[:, None] + location)
        scores = self.score(compared).squeeze(-1)
        # A softmax of logarithms is their exponentials over the sum of these.
        context, weights = _average(F.logsigmoid(scores) if self.smoothing else scores, keys)
        return context, weights, weights


class DotAttention(Attention[Keys, NoState]):
    """A product compares query and projected key (Luong et al. 2015, section 3.1, `general`).

    Args:
        query_width: Q.
        memory_width: D of the memory's values, and of the contexts.
        scaled: Whether to divide by the root of the query's width (Vaswani et al. 2017, section 3.2.1).
    """

    sequential = False

    def __init__(self, query_width: int, memory_width: int, scaled: bool = True) -> None:
        super().__init__()
        self.width = memory_width
        self.scale = query_width**-0.5 if scaled else 1.0
        self.key = nn.Linear(memory_width, query_width, bias=False)

    def prepare(self, memory: Memory) -> Keys:
        return Keys(self.key(memory.values) * self.scale, memory.values, memory.mask()[:, None])

    def start(self, keys: Keys, hypotheses: int) -> NoState:  # noqa: ARG002
        return ()

    def forward(self, query: Tensor, keys: Keys, state: NoState) -> tuple[Tensor, Tensor, NoState]:
        context, weights = _average(query @ keys.keys.transpose(1, 2), keys)
        return context, weights, state


class NoAttention(Attention[NoState, NoState]):
    """For a decoder that knows no more of its source than the memory's final state: contexts of width 0."""

    sequential = False
    width = 0

    def prepare(self, memory: Memory) -> NoState:  # noqa: ARG002
        return ()

    def start(self, keys: NoState, hypotheses: int) -> NoState:  # noqa: ARG002
        return ()

    def forward(self, query: Tensor, keys: NoState, state: NoState) -> tuple[Tensor, Tensor, NoState]:  # noqa: ARG002
        nothing = query[..., :0]
        return nothing, nothing, state


def _average(scores: Tensor, keys: Keys) -> tuple[Tensor, Tensor]:
    """Scores [B, K, S] to (context [B, K, D], weights [B, K, S])."""
    weights = scores.masked_fill(~keys.mask, -torch.inf).softmax(-1)
    return weights @ keys.values, weights
