"""Dropout (Srivastava et al. 2014), with few random numbers on a CPU."""

from __future__ import annotations

from typing import Final, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEVELS: Final = 2**16
"""A CPU's probabilities are multiples of 1 / LEVELS: each random number of 64 bits decides four times."""


@final
class Dropout(nn.Module):
    """Sets features to zero at random in training, and scales the others up so that their mean stays.

    torch draws a CPU's mask with a number of its own for each feature; here one number is cut into four.

    Args:
        probability: Of a feature to become zero, in [0, 1).
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, values: Tensor) -> Tensor:
        """Values of any shape to the same shape."""
        if not self.training or self.probability == 0:
            return values
        if values.device.type != "cpu" or torch.compiler.is_compiling():
            return F.dropout(values, self.probability)
        return values * _mask(values, round(self.probability * LEVELS))

    def extra_repr(self) -> str:
        return f"probability={self.probability}"


@torch.no_grad()
def _mask(values: Tensor, dropped: int) -> Tensor:
    """For each feature 0 in ``dropped`` of ``LEVELS`` cases, else what keeps the mean."""
    numbers = torch.empty(-(-values.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
    levels = numbers.view(torch.int16)[: values.numel()]
    threshold = dropped - LEVELS // 2  # the least level that is kept; clamps are much faster than ``>=``
    kept = levels.clamp_(threshold - 1, threshold).sub_(threshold - 1)
    return kept.to(values.dtype).mul_(LEVELS / (LEVELS - dropped)).view(values.shape)
