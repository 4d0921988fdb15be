"""A small residual network of our own."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from seqloom_vision.frontends.grid import Trunk
from seqloom_vision.frontends.residual import stage


class ResidualNetwork(Trunk):
    """Stages of residual blocks (He et al. 2016), each of which halves the grid.

    Args:
        size: Side of the pictures.
        channels: Of each stage; multiples of 8.
        blocks: Of each stage.
    """

    def __init__(self, size: int, channels: Sequence[int], blocks: int) -> None:
        super().__init__()
        self.size = size
        self.channels = channels[-1]
        side = -(-size // 2 ** len(channels))
        self.shape = (side, side)
        pairs = zip([3, *channels], channels, strict=False)
        self.blocks = nn.Sequential(
            *(block for before, after in pairs for block in stage(before, after, blocks, (2, 2)))
        )

    def forward(self, pictures: Tensor) -> Tensor:
        return self.blocks(pictures)  # type: ignore[no-any-return]
