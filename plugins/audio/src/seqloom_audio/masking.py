"""SpecAugment (Park et al. 2019): parts of a spectrum that a model must do without."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seqloom.drawing import Draw


@dataclass(frozen=True, kw_only=True)
class Masking:
    """Masks of random extent and place (section 2).

    Attributes:
        time_masks: How many masks over time.
        time_frames: Frames of each at most.
        time_share: Share of an utterance that each covers at most.
        frequency_masks: How many masks over frequency.
        frequency_bins: Bins of each at most.
    """

    time_masks: int = 0
    time_frames: int = 0
    time_share: float = 1.0
    frequency_masks: int = 0
    frequency_bins: int = 0

    def __bool__(self) -> bool:
        return bool(self.time_masks or self.frequency_masks)

    def __call__(self, frames: int, bins: int, draw: Draw) -> Tensor:
        """[frames, bins] bool, True where a model sees nothing."""
        masked = torch.zeros(frames, bins, dtype=torch.bool)
        for _ in range(self.frequency_masks):
            masked[:, _span(bins, self.frequency_bins, draw)] = True
        for _ in range(self.time_masks):
            masked[_span(frames, min(self.time_frames, int(self.time_share * frames)), draw)] = True
        return masked


def _span(size: int, most: int, draw: Draw) -> slice:
    width = draw.below(min(most, size) + 1)
    start = draw.below(size - width + 1)
    return slice(start, start + width)
