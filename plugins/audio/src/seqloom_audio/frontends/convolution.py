"""Convolutions over time and frequency that halve both."""

from __future__ import annotations

from torch import Tensor, nn

from seqloom.batch import Padded, length_mask
from seqloom_audio.frontends.base import Subsampling


class Convolution(Subsampling):
    """Convolutions of 3 × 3 with a stride of 2 (Dong et al. 2018, section 3.2), then one vector a frame.

    What is computed beside an utterance is set to zero after each layer: it is the same alone and beside
    longer ones.

    Args:
        width: D.
        bins: F.
        channels: Of each layer.
        layers: How many, each of which halves time and frequency.
    """

    def __init__(self, width: int, bins: int, channels: int, layers: int) -> None:
        super().__init__()
        self.stride = 2**layers
        self.layers = nn.ModuleList(
            nn.Conv2d(channels if number else 1, channels, 3, stride=2, padding=1)
            for number in range(layers)
        )
        frame = channels * -(-bins // 2**layers)
        self.norm = nn.LayerNorm(frame)
        self.project = nn.Linear(frame, width)

    def forward(self, features: Padded) -> Padded:
        lengths = features.lengths
        # In memory channels come last, and so they stay: a CPU convolves them in two thirds of the time.
        x = features.values[..., None].permute(0, 3, 1, 2)  # [B, 1, T, F]
        for layer in self.layers:
            lengths = (lengths + 1) // 2
            x = _masked(layer(x), lengths).relu_()
        frames = x.transpose(1, 2).flatten(2)  # [B, S, C · F']
        return Padded(self.project(self.norm(frames)), lengths)


def _masked(x: Tensor, lengths: Tensor) -> Tensor:
    """[B, C, T, F], now with zeros beyond the lengths."""
    return x.mul_(length_mask(lengths, x.shape[2])[:, None, :, None])
