"""A small residual network of our own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from torch import Tensor, nn

from seqloom_vision.frontends.grid import Trunk
from seqloom_vision.frontends.stages import Stage

GROUP: Final = 8  # channels that are normalised together: fewer know no more how much of something there is


class ResidualNetwork(Trunk):
    """Stages of convolutions and residual blocks (He et al. 2016), each of which halves the grid.

    Args:
        size: Side of the pictures.
        channels: Of each stage; multiples of 8.
        blocks: Residual blocks of each stage.
    """

    def __init__(self, size: int, channels: Sequence[int], blocks: int) -> None:
        super().__init__()
        self.size = size
        self.channels = channels[-1]
        side = -(-size // 2 ** len(channels))
        self.shape = (side, side)
        pairs = zip([3, *channels], channels, strict=False)
        self.stages = nn.ModuleList(Stage(before, after, (2, 2), blocks, GROUP) for before, after in pairs)

    def forward(self, pictures: Tensor) -> Tensor:
        for stage in self.stages:
            pictures, _ = stage(pictures)
        return pictures
