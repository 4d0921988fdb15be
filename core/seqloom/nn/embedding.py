"""Tokens to vectors and back; one table may serve the source, the target and the output."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class TokenEmbedding(nn.Module):
    """A table of token vectors, scaled by the square root of their width (Vaswani et al. 2017, 3.4).

    Initialised with standard deviation width^-0.5: what it returns has unit variance, and what a tied
    output layer makes of unit-variance states has too.
    """

    def __init__(self, size: int, width: int, pad_id: int) -> None:
        super().__init__()
        self.size = size
        self.width = width
        self.pad_id = pad_id
        self.weight = nn.Parameter(torch.randn(size, width) * width**-0.5)
        with torch.no_grad():
            self.weight[pad_id] = 0

    def forward(self, tokens: Tensor) -> Tensor:
        """[..] int64 to [.., D]; the pad row gets no gradient from here."""
        embedded = F.embedding(tokens, self.weight, padding_idx=self.pad_id)
        return embedded * math.sqrt(self.width)


class TiedProjection(nn.Module):
    """States [.., D] to logits [.., V] by the embedding's own table (Press and Wolf 2017)."""

    def __init__(self, embedding: TokenEmbedding) -> None:
        super().__init__()
        self.embedding = embedding
        self.bias = nn.Parameter(torch.zeros(embedding.size))

    def forward(self, states: Tensor) -> Tensor:
        return F.linear(states, self.embedding.weight, self.bias)


def free_projection(width: int, size: int) -> nn.Linear:
    """States [.., D] to logits [.., V] by a table of their own."""
    projection = nn.Linear(width, size)
    nn.init.normal_(projection.weight, std=width**-0.5)
    nn.init.zeros_(projection.bias)
    return projection
