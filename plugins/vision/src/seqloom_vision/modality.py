"""The modality ``image``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor

from seqloom.drawing import Draw
from seqloom.modality import Measure, Modality
from seqloom.nn.embedding import TokenEmbedding
from seqloom_vision.augmentation import Augmentation
from seqloom_vision.features import Features
from seqloom_vision.frontends.grid import ImageFrontend

BLANK: Final = 16  # levels of 255 that the lossy picture of an empty page may still span


class ImageModality(Modality):
    """Pictures as features in bytes, which a front end turns into vectors.

    Args:
        features: What is kept of a file.
        augmentation: Varies what was read.
        frontend: Makes a front end of a width.
        varies: Whether the augmentation may change anything.
    """

    measures = (Measure(name="contrast", least=BLANK, odd="nearly blank"),)

    def __init__(
        self,
        features: Features,
        augmentation: Augmentation,
        frontend: Callable[[int], ImageFrontend],
        *,
        varies: bool = True,
    ) -> None:
        self.varies = varies
        self._features = features
        self._augmentation = augmentation
        self._frontend = frontend

    def read(self, raw: str) -> Tensor:
        """A picture [1, 3, side, side], or a line's columns [T, height], uint8."""
        return self._features.read(raw)

    def augment(self, features: Tensor, generator: torch.Generator) -> Tensor:
        return self._augmentation(features, Draw(generator))

    def measure(self, features: Tensor) -> tuple[float]:
        """The levels between the darkest and the brightest value, of 255."""
        return (float(features.max()) - float(features.min()),)

    def frontend(self, width: int, embedding: TokenEmbedding | None) -> ImageFrontend:  # noqa: ARG002
        return self._frontend(width)

    def seen(self, features: Tensor) -> Tensor:
        """What a model sees of an input: [frames, 3, rows, columns] uint8.

        Args:
            features: Of the input, as :meth:`read` gives them.
        """
        return self._features.seen(features)

    def grid(self, features: Tensor) -> tuple[int, int]:
        """Rows and columns that the positions of a front end's vectors are, row by row.

        Args:
            features: Of an input, as :meth:`read` gives them.
        """
        return self._frontend(1).grid(len(features))
