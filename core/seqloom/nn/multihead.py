"""The Transformer's own attention: scaled products, several heads (Vaswani et al. 2017, section 3.2).

Masks are True where a position may be attended to.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqloom.errors import ConfigError


class Looked(NamedTuple):
    """Positions of a source that all its hypotheses may look up.

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

    def step(self, values: Tensor, written: Looked, bias: Tensor) -> tuple[Tensor, Looked]:
        """One position further, for hypotheses that look at one tree: at what they have in common, too.

        Args:
            values: [B, K, D], the new position of each hypothesis.
            written: The positions of all hypotheses before, with room for more or without. Its room is
                written to.
            bias: [B, 1, K, S], 0 where a hypothesis has come by, and at its own of the last K positions,
                which are the new ones; -inf elsewhere.

        Returns:
            What the new positions attended to [B, K, D], and all positions.
        """
        projected = self.project(values).unflatten(-1, (3, *self.split))  # [B, K, 3, h, d]
        query, *new = projected.permute(2, 0, 3, 1, 4)  # each [B, h, K, d]
        size = bias.shape[-1]
        written = Looked(*(_put(part, size, last) for part, last in zip(written, new, strict=True)))
        seen = (part[:, :, :size] for part in written)
        return merge_heads(self.out, _look_up(query, *seen, bias)), written


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
        return merge_heads(self.out, _look_up(self._query(values), *looked, bias))

    def _query(self, values: Tensor) -> Tensor:
        """[B, U, D] to [B, h, U, d]."""
        query: Tensor = self.query(values).unflatten(-1, self.split).transpose(1, 2)
        return query


def _look_up(query: Tensor, keys: Tensor, values: Tensor, bias: Tensor) -> Tensor:
    """What few queries [B, h, K, d] attend to [B, h, K, d]: for them two products beat the fused kernel."""
    scores = torch.add(bias, query @ keys.transpose(-1, -2), alpha=query.shape[-1] ** -0.5)
    return scores.softmax(-1) @ values


def _put(written: Tensor, size: int, last: Tensor) -> Tensor:
    """All ``size`` positions [B, h, S, d], maybe with room for more: those before and the ``last``."""
    before = size - last.shape[2]
    if torch.is_grad_enabled():  # a gradient is of what was there
        return torch.cat([written[:, :, :before], last], 2)
    if written.shape[2] < size:
        room = written.new_empty(*written.shape[:2], size + last.shape[2], written.shape[3])
        written = torch.cat([written, room], 2)
    written[:, :, before:size] = last
    return written


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
