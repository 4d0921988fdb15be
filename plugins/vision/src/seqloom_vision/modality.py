"""The modality ``image``."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from seqloom.modality import Modality
from seqloom.nn.embedding import TokenEmbedding
from seqloom_vision.augmentation import Augmentation
from seqloom_vision.drawing import Draw
from seqloom_vision.frontends.grid import ImageFrontend


class ImageModality(Modality):
    """Pictures as features in bytes, which a front end turns into vectors.

    Args:
        features: Reads a file.
        augmentation: Varies what was read.
        frontend: Makes a front end of a width.
    """

    def __init__(
        self,
        features: Callable[[str], Tensor],
        augmentation: Augmentation,
        frontend: Callable[[int], ImageFrontend],
    ) -> None:
        self._features = features
        self._augmentation = augmentation
        self._frontend = frontend

    def read(self, raw: str) -> Tensor:
        """A picture [1, 3, side, side], or a line's columns [T, height], uint8."""
        return self._features(raw)

    def augment(self, features: Tensor, generator: torch.Generator) -> Tensor:
        return self._augmentation(features, Draw(generator))

    def frontend(self, width: int, embedding: TokenEmbedding | None) -> ImageFrontend:  # noqa: ARG002
        return self._frontend(width)

    def grid(self, features: Tensor) -> tuple[int, int]:
        """Rows and columns that the positions of a front end's vectors are, row by row.

        Args:
            features: Of one input, as :meth:`read` gives them.
        """
        return self._frontend(1).grid(len(features))
