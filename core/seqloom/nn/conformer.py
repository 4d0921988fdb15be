"""The Conformer (Gulati et al. 2020): a Transformer's encoder with convolutions in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqloom.batch import Memory, Padded
from seqloom.nn.convolution import DepthwiseConvolution
from seqloom.nn.dropout import Dropout
from seqloom.nn.encoder import Encoder, in_portions, masked_mean
from seqloom.nn.multihead import linear
from seqloom.nn.positions import SinusoidalPositions
from seqloom.nn.relative import WAVES, RelativeAttention


@dataclass(frozen=True, kw_only=True)
class ConformerShape:
    """How a Conformer is made.

    Attributes:
        width: D of what goes in, of each layer and of what comes out.
        layers: How many layers.
        heads: Attention heads; they divide the width.
        feed_forward: Width inside the feed-forward parts.
        kernel: Positions that a convolution spans, an odd number.
        context: Positions on each side that attention sees; None for all.
        dropout: Of features, inside the feed-forward parts and of each part's output.
    """

    width: int
    layers: int = 12
    heads: int = 4
    feed_forward: int = 2048
    kernel: int = 31
    context: int | None = None
    dropout: float = 0.1


class ConformerEncoder(Encoder):
    """Layers of self-attention and convolution over features.

    Positions know how far they are from each other, not where they stand.

    Args:
        shape: How it is made; its width is that of the features.

    Raises:
        ConfigError: Heads that do not divide the width, or an even kernel.
    """

    def __init__(self, shape: ConformerShape) -> None:
        super().__init__()
        self.width = shape.width
        self.final_shape = (1, shape.width)
        self.context = shape.context
        self.positions = SinusoidalPositions(WAVES)
        self.dropout = Dropout(shape.dropout)
        self.layers = nn.ModuleList(ConformerLayer(shape) for _ in range(shape.layers))

    def forward(self, features: Padded) -> Memory:
        """Encodes features [B, T, D]."""
        return in_portions(self._encode, features)

    def _encode(self, features: Padded) -> Memory:
        x, mask = self.dropout(features.values), features.mask()
        waves, seen = self.positions(0, x.shape[1], x.device), visible(mask, self.context)
        for layer in self.layers:
            x = layer(x, waves, mask, seen)
        return Memory(x, features.lengths, final=masked_mean(x, mask))

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Compiles each layer: as they are alike, torch writes the kernels of one."""
        for layer in self.layers:
            layer.compile(*args, **kwargs)


class ConformerLayer(nn.Module):
    """Self-attention, then convolution, between two feed-forward parts that add half of what they make."""

    def __init__(self, shape: ConformerShape) -> None:
        super().__init__()
        self.first_feed_forward = feed_forward(shape)
        self.attention_norm = nn.LayerNorm(shape.width)
        self.attention = RelativeAttention(shape.width, shape.heads)
        self.convolution_norm = nn.LayerNorm(shape.width)
        self.convolution = GatedConvolution(shape.width, shape.kernel)
        self.dropout = Dropout(shape.dropout)
        self.second_feed_forward = feed_forward(shape)
        self.norm = nn.LayerNorm(shape.width)

    def forward(self, x: Tensor, waves: Tensor, mask: Tensor, seen: Tensor) -> Tensor:
        """[B, T, D], [T, WAVES], [B, T] bool and what :func:`visible` gives to [B, T, D]."""
        x = x + 0.5 * self.first_feed_forward(x)
        x = x + self.dropout(self.attention(self.attention_norm(x), waves, seen))
        x = x + self.dropout(self.convolution(self.convolution_norm(x), mask))
        return self.norm(x + 0.5 * self.second_feed_forward(x))  # type: ignore[no-any-return]


class GatedConvolution(nn.Module):
    """Gated features, filtered along time one by one (Gulati et al. 2020, section 2.2).

    The norm within is over the features of a position: the paper's, over a batch, would let examples and
    their padding change each other.
    """

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.inner = linear(width, 2 * width)
        self.filter = DepthwiseConvolution(width, kernel)
        self.norm = nn.LayerNorm(width)
        self.outer = linear(width, width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """[B, T, D] and [B, T] bool to [B, T, D]."""
        filtered = self.filter(F.glu(self.inner(x), -1), mask)
        outer: Tensor = self.outer(F.silu(self.norm(filtered)))
        return outer


def visible(mask: Tensor, context: int | None) -> Tensor:
    """Which positions each position looks at: [B, T] bool, True = real, to [B, 1, 1 or T, T] bool.

    Args:
        mask: Which are real.
        context: How far away they may be; None for any distance.
    """
    real = mask[:, None, None]
    if context is None:
        return real
    steps = torch.arange(mask.shape[1], device=mask.device)
    apart = (steps[:, None] - steps).abs()
    return (real & (apart <= context)) | (apart == 0)  # padding sees itself: a softmax needs something


def feed_forward(shape: ConformerShape) -> nn.Sequential:
    """Each position through a wider layer and back (Gulati et al. 2020, section 2.3)."""
    return nn.Sequential(
        nn.LayerNorm(shape.width),
        linear(shape.width, shape.feed_forward),
        nn.SiLU(),
        Dropout(shape.dropout),
        linear(shape.feed_forward, shape.width),
        Dropout(shape.dropout),
    )
