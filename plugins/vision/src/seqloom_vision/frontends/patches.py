"""Squares of a picture, each projected by itself."""

from __future__ import annotations

from torch import Tensor, nn

from seqloom.errors import ConfigError
from seqloom_vision.frontends.grid import Trunk


class Patches(Trunk):
    """Squares as vectors (Dosovitskiy et al. 2021, section 3.1).

    What they have to do with each other is the encoder's affair.

    Args:
        size: Side of the pictures.
        patch: Side of a square.
        channels: Of what comes out.

    Raises:
        ConfigError: Squares do not fill the picture.
    """

    def __init__(self, size: int, patch: int, channels: int) -> None:
        super().__init__()
        if size % patch:
            raise ConfigError(
                f"patches of {patch} pixels do not fill a picture of {size}: choose a divisor"
            )
        self.size = size
        self.channels = channels
        self.shape = (size // patch, size // patch)
        self.project = nn.Conv2d(3, channels, patch, stride=patch)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.project(pictures)  # type: ignore[no-any-return]
