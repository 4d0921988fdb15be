"""Features brought to mean 0 and variance 1, as they are in all of the training data."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from seqloom.batch import Padded
from seqloom_audio.spectra import LEAST_VARIANCE


class CorpusNorm(nn.Module):
    """What :meth:`fit` found, taken from any features.

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
        count, total, squares = 0, torch.zeros(()), torch.zeros(())
        for values, lengths in batches:
            real = Padded(values, lengths).mask()
            frames = values[real].double()  # [N, F]
            count += len(frames)
            total = total + frames.sum(0).cpu()
            squares = squares + frames.square().sum(0).cpu()
        mean = total / count
        self.mean.copy_(mean)
        self.scale.copy_((squares / count - mean.square() + LEAST_VARIANCE).rsqrt())
