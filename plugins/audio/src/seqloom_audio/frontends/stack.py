"""Frames joined, one beside the other."""

from __future__ import annotations

import torch.nn.functional as F
from torch import nn

from seqloom.batch import Padded
from seqloom_audio.frontends.base import Subsampling


class Stack(Subsampling):
    """Some frames as one, projected (Sak et al. 2015, section 3.1).

    Args:
        width: D.
        bins: F.
        frames: How many are joined.
    """

    def __init__(self, width: int, bins: int, frames: int) -> None:
        super().__init__()
        self.stride = frames
        self.project = nn.Linear(frames * bins, width)

    def forward(self, features: Padded) -> Padded:
        values = F.pad(features.values, (0, 0, 0, -features.values.shape[1] % self.stride))
        joined = values.reshape(len(values), -1, self.project.in_features)  # [B, S, frames · F]
        return Padded(self.project(joined), (features.lengths + self.stride - 1) // self.stride)
