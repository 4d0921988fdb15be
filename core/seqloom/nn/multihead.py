"""The Transformer's own attention: scaled products, several heads (Vaswani et al. 2017, section 3.2).

Masks are True where a position may be attended to. What is looked up is one tensor [B, h, 2, S, d]: the
keys of all positions, then the values.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqloom.errors import ConfigError


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

    def step(self, values: Tensor, written: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """One position further, for hypotheses whose positions are one tree.

        Args:
            values: [B, K, D], the new position of each hypothesis.
            written: [B, h, 2, S, d], the positions before, maybe with room for more, which is written to.
            bias: [B, 1, K, S + K], 0 where a hypothesis has come by, its own of the K new positions
                included; -inf elsewhere.

        Returns:
            What the new positions attended to [B, K, D], and the longer ``written``.
        """
        projected = self.project(values).unflatten(-1, (3, *self.split)).permute(0, 3, 2, 1, 4)
        size = bias.shape[-1]
        written = _append(written, size, projected[:, :, 1:])
        attended = _look_up(projected[:, :, 0], written[..., :size, :], bias)
        return merge_heads(self.out, attended), written


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

    def prepare(self, memory: Tensor) -> Tensor:
        """A memory's values [B, S, D] as they are looked up: [B, h, 2, S, d]."""
        projected: Tensor = self.project(memory).unflatten(-1, (2, *self.split))  # [B, S, 2, h, d]
        return projected.permute(0, 3, 2, 1, 4)

    def forward(
        self, values: Tensor, looked: Tensor, mask: Tensor, *, weights: bool = False
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
        key, value = looked.unbind(2)
        dropout = self.dropout if self.training else 0.0
        attended = F.scaled_dot_product_attention(query, key, value, mask, dropout)
        return merge_heads(self.out, attended), _weights(query, key, mask) if weights else None

    def step(self, values: Tensor, looked: Tensor, bias: Tensor) -> Tensor:
        """Looks a memory up from hypotheses that share it.

        Args:
            values: [B, K, D].
            looked: From :meth:`prepare`, contiguous.
            bias: [B, 1, 1, S], 0 where a position is real and -inf elsewhere.

        Returns:
            [B, K, D].
        """
        return merge_heads(self.out, _look_up(self._query(values), looked, bias))

    def _query(self, values: Tensor) -> Tensor:
        """[B, U, D] to [B, h, U, d]."""
        query: Tensor = self.query(values).unflatten(-1, self.split).transpose(1, 2)
        return query


def _look_up(query: Tensor, looked: Tensor, bias: Tensor) -> Tensor:
    """What few queries [B, h, K, d] attend to, as many: for them two products beat the fused kernel."""
    keys, values = looked.unbind(2)
    scores = torch.add(bias, query @ keys.transpose(-1, -2), alpha=query.shape[-1] ** -0.5)  # [B, h, K, S]
    return scores.softmax(-1) @ values


def _append(written: Tensor, size: int, last: Tensor) -> Tensor:
    """The last [B, h, 2, K, d] of ``size`` positions after those before; maybe with room for more."""
    before = size - last.shape[3]
    if torch.is_grad_enabled():  # a gradient is of what was there
        return torch.cat([written[..., :before, :], last], 3)
    if written.shape[3] < size:
        room = last.new_empty(*last.shape[:3], 2 * size - before, last.shape[4])
        written = torch.cat([written, room], 3)
    written[..., before:size, :] = last
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
