"""Samples in rows of one hop each, so that lengths are counted in frames wherever they travel."""

from __future__ import annotations

from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

GREATEST: Final = 32_767
"""Of 16 bits."""


def rows_of(samples: Tensor, hop: int) -> Tensor:
    """[samples], whole numbers of 16 bits, to int16 [T, hop]; the last row is filled with silence."""
    padded = F.pad(samples, (0, -len(samples) % hop)).view(-1, hop)
    return padded.round().clamp(-GREATEST - 1, GREATEST).to(torch.int16)
