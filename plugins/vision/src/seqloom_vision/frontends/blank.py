"""A front end that sees nothing."""

from __future__ import annotations

import torch
from torch import nn

from seqloom.batch import Padded
from seqloom_vision.frontends.grid import ImageFrontend


class Blank(ImageFrontend):
    """The same learned vector for every picture: what is left then is what a model knows blindly.

    Args:
        width: D.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.vector = nn.Parameter(torch.randn(width))

    def grid(self, length: int) -> tuple[int, int]:
        return length, 1

    def forward(self, features: Padded) -> Padded:
        """Features of T positions to [B, T, D]."""
        batch, length = features.values.shape[:2]
        return Padded(self.vector.expand(batch, length, -1), features.lengths)
