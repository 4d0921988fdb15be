"""Features brought to mean 0 and variance 1, as they are in more than one utterance."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import torch
from torch import Tensor, nn

from seqloom.batch import Padded

LEAST_VARIANCE: Final = 1e-3  # that we divide by: what rounding leaves of silence must not become loud


def moments(frames: Tensor) -> Tensor:
    """[N, F] to [1 + 2 F] float64: how many frames, their sum, and that of their squares."""
    frames = frames.double()
    return torch.cat([frames.new_tensor([len(frames)]), frames.sum(0), frames.square().sum(0)])


def mean_and_scale(total: Tensor) -> Tensor:
    """Moments [1 + 2 F] to [2 F]: what to subtract from each feature, and what to multiply with then."""
    mean, square = (total[1:] / total[0]).chunk(2)
    return torch.cat([mean, (square - mean.square()).clamp(min=LEAST_VARIANCE).rsqrt()])


class CorpusNorm(nn.Module):
    """All training data: what :meth:`fit` found, taken from any features.

    Args:
        size: F.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("scale", torch.ones(size))

    def forward(self, features: Padded) -> Padded:
        """[B, T, F] to the same, zero on padding."""
        values = (features.values - self.mean) * self.scale
        return features._replace(values=values * features.mask()[:, :, None])

    @torch.no_grad()
    def fit(self, batches: Iterable[Padded]) -> None:
        """Takes mean and variance of all real frames."""
        found = (moments(values[Padded(values, lengths).mask()]).cpu() for values, lengths in batches)
        mean, scale = mean_and_scale(sum(found, torch.zeros(()))).chunk(2)
        self.mean.copy_(mean)
        self.scale.copy_(scale)
