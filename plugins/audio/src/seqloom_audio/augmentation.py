"""Variations of sound for training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from seqloom.drawing import Draw
from seqloom_audio.noises import Noises
from seqloom_audio.resampling import ratio_of, resampled
from seqloom_audio.rows import rows_of


@dataclass(frozen=True, kw_only=True)
class SoundAugmentation:
    """Varies samples.

    Attributes:
        speeds: Factors to choose among: of 1.1, speech is faster and higher (Ko et al. 2015).
        noises: What is mixed in; None for nothing.
        noise_share: How many of the utterances get noise.
        snr_db: How much louder than the noise an utterance is, at least and at most.
    """

    speeds: Sequence[float] = ()
    noises: Noises | None = None
    noise_share: float = 1.0
    snr_db: tuple[float, float] = (0.0, 0.0)

    def __bool__(self) -> bool:
        return bool(self.speeds or self.noises)

    def __call__(self, rows: Tensor, draw: Draw) -> Tensor:
        """A variation of rows [T, hop] int16, which stay as they are: [T', hop] int16."""
        samples = rows.flatten().float()
        if self.speeds:
            samples = sped(samples, draw.one_of(self.speeds))
        if self.noises and draw.between(0, 1) < self.noise_share:
            samples = mixed(samples, self.noises(len(samples), draw), draw.between(*self.snr_db))
        return rows_of(samples, rows.shape[1])


def sped(samples: Tensor, factor: float) -> Tensor:
    """[n] to about [n / factor]."""
    return torch.cat(list(resampled([samples], ratio_of(factor, 1))))


def mixed(samples: Tensor, noise: Tensor, snr_db: float) -> Tensor:
    """[n] with noise [n] of which the sound has so many decibels more power; either may be silent."""
    power, other = (part.square().mean().item() for part in (samples, noise))
    if not power or not other:
        return samples
    return samples + noise * math.sqrt(power / other / 10 ** (snr_db / 10))
