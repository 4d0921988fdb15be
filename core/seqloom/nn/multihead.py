"""The Transformer's own attention: scaled products, several heads (Vaswani et al. 2017, section 3.2).

Masks are True where a position may be attended to.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqloom.errors import ConfigError


class Past(NamedTuple):
    """What the t positions so far left for those to come.

    Attributes:
        keys: [B, K, h, t, d].
        values: [B, K, h, t, d].
    """

    keys: Tensor
    values: Tensor


class Looked(NamedTuple):
    """A memory as cross-attention looks it up.

    Attributes:
        keys: [B, h, S, d].
        values: [B, h, S, d].
    """

    keys: Tensor
    values: Tensor


class SelfAttention(nn.Module):
    """The positions of a sequence look at each other.

    Args:
        width: D.
        heads: How many heads; they divide the width.
        dropout: Of attention weights.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.split = (heads, head_width(width, heads))
        self.dropout = dropout
        self.project = linear(width, 3 * width)
        self.out = linear(width, width)

    def forward(self, values: Tensor, mask: Tensor | None = None, *, causal: bool = False) -> Tensor:
        """All positions at once.

        Args:
            values: [B, T, D].
            mask: [B, 1, 1, T] bool; None where ``causal`` already keeps padding on the right out of sight.
            causal: Whether a position sees only itself and those before it.
        """
        projected = self.project(values).unflatten(-1, (3, *self.split))  # [B, T, 3, h, d]
        query, key, value = projected.permute(2, 0, 3, 1, 4)  # each [B, h, T, d]
        dropout = self.dropout if self.training else 0.0
        attended = F.scaled_dot_product_attention(query, key, value, mask, dropout, is_causal=causal)
        return merge_heads(self.out, attended)

    def step(self, values: Tensor, past: Past) -> tuple[Tensor, Past]:
        """One position further.

        Args:
            values: [B, K, D], the new position of each hypothesis.
            past: Of the positions before it.

        Returns:
            What the new position attended to [B, K, D], and the longer past.
        """
        projected = self.project(values).unflatten(-1, (3, *self.split))[..., None, :]  # [B, K, 3, h, 1, d]
        query, *new = projected.unbind(2)
        past = Past(*(torch.cat(both, dim=-2) for both in zip(past, new, strict=True)))
        # For single queries two products are faster than the fused kernel.
        scores = (query * query.shape[-1] ** -0.5) @ past.keys.transpose(-1, -2)  # [B, K, h, 1, t + 1]
        attended: Tensor = self.out((scores.softmax(-1) @ past.values).flatten(2))
        return attended, past


class CrossAttention(nn.Module):
    """Queries look at a memory.

    Args:
        width: D of the queries and of the result.
        memory_width: D of the memory's values.
        heads: How many heads; they divide the width.
        dropout: Of attention weights.
    """

    def __init__(self, width: int, memory_width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.split = (heads, head_width(width, heads))
        self.dropout = dropout
        self.query = linear(width, width)
        self.project = linear(memory_width, 2 * width)
        self.out = linear(width, width)

    def prepare(self, memory: Tensor) -> Looked:
        """A memory's values [B, S, D] as they are looked up."""
        projected: Tensor = self.project(memory).unflatten(-1, (2, *self.split))  # [B, S, 2, h, d]
        return Looked(*projected.permute(2, 0, 3, 1, 4))

    def forward(
        self, values: Tensor, looked: Looked, mask: Tensor, *, weights: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """Looks a memory up from all positions of a target.

        Args:
            values: [B, U, D].
            looked: From :meth:`prepare`.
            mask: [B, 1, 1, S] bool.
            weights: Whether to give the attention weights too.

        Returns:
            [B, U, D], and the mean of the heads' weights [B, U, S] or None.
        """
        query = self._query(values)
        dropout = self.dropout if self.training else 0.0
        attended = F.scaled_dot_product_attention(query, looked.keys, looked.values, mask, dropout)
        return merge_heads(self.out, attended), _weights(query, looked.keys, mask) if weights else None

    def step(self, values: Tensor, looked: Looked, bias: Tensor) -> Tensor:
        """Looks a memory up from hypotheses that share it.

        Args:
            values: [B, K, D].
            looked: From :meth:`prepare`, contiguous.
            bias: [B, 1, 1, S], 0 where a position is real and -inf elsewhere.

        Returns:
            [B, K, D].
        """
        # For few queries two products are faster than the fused kernel.
        query = self._query(values) * self.split[1] ** -0.5
        keys = looked.keys.flatten(0, 1).transpose(1, 2)  # [B * h, d, S]
        biases = bias.expand(*query.shape[:3], -1).flatten(0, 1)  # [B * h, K, S]
        scores = torch.baddbmm(biases, query.flatten(0, 1), keys)
        attended = scores.softmax(-1) @ looked.values.flatten(0, 1)
        return merge_heads(self.out, attended.view_as(query))

    def _query(self, values: Tensor) -> Tensor:
        """[B, U, D] to [B, h, U, d]."""
        query: Tensor = self.query(values).unflatten(-1, self.split).transpose(1, 2)
        return query


def _weights(query: Tensor, key: Tensor, mask: Tensor) -> Tensor:
    """What the fused kernel keeps to itself: the heads' mean weights [B, K, S]."""
    scores: Tensor = query @ key.transpose(-1, -2) * key.shape[-1] ** -0.5  # [B, h, K, S]
    return scores.float().masked_fill(~mask, -torch.inf).softmax(-1).mean(1)


def merge_heads(out: nn.Linear, attended: Tensor) -> Tensor:
    """[B, h, T, d] to [B, T, D]: the heads side by side, then projected."""
    merged: Tensor = out(attended.transpose(1, 2).flatten(2))
    return merged


def head_width(width: int, heads: int) -> int:
    """How wide each head is.

    Raises:
        ConfigError: The heads do not divide the width.
    """
    if width % heads:
        raise ConfigError(
            f"{heads} attention heads do not divide a width of {width}; choose a divisor of it"
        )
    return width // heads


def linear(width: int, out: int) -> nn.Linear:
    """A linear layer with Glorot-uniform weights and no bias to begin with (Glorot and Bengio 2010)."""
    layer = nn.Linear(width, out)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
