"""Self-attention by content and by distance (Dai et al. 2019, section 3.3)."""

from __future__ import annotations

from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqloom.nn.multihead import head_width, linear, merge_heads

WAVES: Final = 64
"""Sines and cosines that a distance is told by."""


class RelativeAttention(nn.Module):
    """The positions of a sequence look at each other, wherever in it they stand.

    Position i compares itself with position j by (q_i + u) · k_j + (q_i + v) · W r_(i - j), where r are the
    waves of a distance. A wave of a difference is made of products of waves of both positions, so the
    second term is a product with r_j, and the sum is one product of wider queries and keys. No number is
    kept for each pair of positions, as a bias would need.

    Args:
        width: D.
        heads: How many heads; they divide the width.

    Raises:
        ConfigError: They do not.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.split = (heads, head_width(width, heads))
        self.project = linear(width, 3 * width)
        self.distance = nn.Parameter(linear(WAVES, width).weight.detach().view(*self.split, WAVES))
        self.content_bias = nn.Parameter(torch.zeros(heads, 1, self.split[1]))
        self.distance_bias = nn.Parameter(torch.zeros(heads, 1, self.split[1]))
        self.out = linear(width, width)

    def forward(self, values: Tensor, waves: Tensor, mask: Tensor) -> Tensor:
        """All positions at once.

        Args:
            values: [B, T, D].
            waves: [T, WAVES], those of T positions in a row, from any on; see :func:`sinusoids`.
            mask: [B, 1, 1 or T, T] bool.

        Returns:
            [B, T, D].
        """
        projected = self.project(values).unflatten(-1, (3, *self.split))  # [B, T, 3, h, d]
        query, key, value = projected.permute(2, 0, 3, 1, 4)  # each [B, h, T, d]
        turned = turn((query + self.distance_bias) @ self.distance, waves)  # [B, h, T, WAVES]
        query = torch.cat([query + self.content_bias, turned], -1).to(value.dtype)
        key = torch.cat([key, waves.to(key.dtype).expand(*key.shape[:2], -1, -1)], -1)
        scale = self.split[1] ** -0.5
        return merge_heads(self.out, F.scaled_dot_product_attention(query, key, value, mask, scale=scale))


def turn(weights: Tensor, waves: Tensor) -> Tensor:
    """From weights of the waves of a distance to weights of those of the other position.

    Args:
        weights: [.., T, W], of each position i.
        waves: [T, W], r_i of each position: sine, cosine, sine ..

    Returns:
        [.., T, W], whose product with r_j is that of ``weights`` with r_(i - j), for every j.
    """
    sine, cosine = waves[..., ::2], waves[..., 1::2]
    of_sine, of_cosine = weights[..., ::2], weights[..., 1::2]
    turned = of_cosine * sine - of_sine * cosine, of_sine * sine + of_cosine * cosine
    return torch.stack(turned, -1).flatten(-2)
