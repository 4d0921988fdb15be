"""Sound to what a model sees of it: log-mel spectra or cepstral coefficients, frame by frame."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchaudio.functional import create_dct, melscale_fbanks

from seqloom.batch import Padded
from seqloom.errors import ConfigError
from seqloom_audio.rows import numbers_of

FULL_SCALE: Final = 32_768
FLOOR: Final = 1e-8  # power of a frequency: about what rounding to 16 bits leaves in a window of 25 ms
LEAST_VARIANCE: Final = 1e-5  # that normalisation divides by: silence stays silence
TOGETHER: Final = 2**12  # frames transformed at a time: of more, the cache would hold none
PICTURED: Final = 40  # filters that a picture has at least, where a window tells so many apart


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """How spectra are made.

    Attributes:
        rate_hz: Samples a second.
        hop: Samples from one frame to the next.
        window: Samples that a frame sees.
        bins: Mel filters.
        low_hz: Where the lowest begins.
        high_hz: Where the highest ends.
        coefficients: Cepstral ones, in place of the filters' logarithms; None for these.
        normalize: Over what each feature has mean 0 and variance 1; None for nothing. Of a speaker, rows
            bring the means that are subtracted, and what is multiplied with.
    """

    rate_hz: int
    hop: int
    window: int
    bins: int
    low_hz: float
    high_hz: float
    coefficients: int | None = None
    normalize: Literal["utterance", "speaker"] | None = None

    @property
    def size(self) -> int:
        """Features of a frame."""
        return self.coefficients or self.bins

    @property
    def points(self) -> int:
        """Of the Fourier transform."""
        return 1 << (self.window - 1).bit_length()

    @property
    def brought(self) -> int:
        """Numbers that rows bring."""
        return 2 * self.size if self.normalize == "speaker" else 0


class Spectra(nn.Module):
    """Rows of samples to features; data workers and devices compute them with it, to the same numbers.

    Frame t is what a Hann window sees that is centred on row t, with silence before and after the sound.
    Its power at each frequency goes through triangular filters, evenly spaced in mel (O'Shaughnessy 1987;
    HTK's formula), and the logarithms of what these let through are the features; or their cosine
    transform (Davis and Mermelstein 1980).

    Args:
        analysis: How.

    Raises:
        ConfigError: There are more filters than frequencies to tell apart.
    """

    window: Tensor
    filters: Tensor
    cosines: Tensor | None

    def __init__(self, analysis: Analysis) -> None:
        super().__init__()
        self.analysis = analysis
        self.points = analysis.points
        spare = self.points - analysis.window
        window = F.pad(torch.hann_window(analysis.window), (spare // 2, spare - spare // 2))
        cosines = (
            create_dct(analysis.coefficients, analysis.bins, "ortho") if analysis.coefficients else None
        )
        self.register_buffer("window", window, persistent=False)
        self.register_buffer("filters", _filters(analysis, self.points), persistent=False)
        self.register_buffer("cosines", cosines, persistent=False)

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def forward(self, rows: Padded) -> Padded:
        """Samples [B, T, hop] int16 to [B, T, F] float32, zero on padding.

        After them, a row may have a mark for each feature: where that is not 0, the feature is masked, and
        becomes the mean of it in this utterance. Then come the numbers that it brings.
        """
        hop, brought = self.analysis.hop, self.analysis.brought
        real = rows.mask()[:, :, None]
        masks = rows.values[..., hop : rows.values.shape[2] - 2 * brought]
        with torch.autocast(rows.values.device.type, enabled=False):
            features = self.plain(rows.values[..., :hop] * real)
            if self.analysis.normalize == "utterance":
                features = normalized(features, real)
            elif self.analysis.normalize == "speaker":
                means, scales = numbers_of(rows.values, brought)[:, None].chunk(2, 2)
                features = (features - means) * scales
            if masks.shape[2]:
                features = features.where(masks == 0, mean(features, real))
        return Padded(features * real, rows.lengths)

    def plain(self, rows: Tensor) -> Tensor:
        """[B, T, hop] int16, silent on padding, to features [B, T, F] that nothing has normalised."""
        features = self.logarithms(rows)
        return features if self.cosines is None else features @ self.cosines

    def logarithms(self, rows: Tensor) -> Tensor:
        """[B, T, hop] int16, silent on padding, to logarithms [B, T, bins] of what filters let through."""
        batch, frames, hop = rows.shape
        samples = rows.flatten(1).float() / FULL_SCALE
        before = (self.points - hop) // 2
        samples = F.pad(samples, (before, self.points - hop - before))
        seen = samples.unfold(1, self.points, hop)  # [B, T, points], no copy
        step = max(1, TOGETHER // batch)
        parts = [self._filtered(seen[:, at : at + step]) for at in range(0, frames, step)]
        return torch.cat(parts, 1).clamp_(min=FLOOR).log_()

    def _filtered(self, seen: Tensor) -> Tensor:
        spectrum = torch.fft.rfft(seen * self.window)
        power: Tensor = spectrum.real.square().addcmul_(spectrum.imag, spectrum.imag)
        return power @ self.filters


def pictured(analysis: Analysis) -> Analysis:
    """The same frames and range for people to look at: logarithms of filters, normalised by nothing.

    Where a model sees few filters there are more of them, as far as they stay a frequency of the transform
    apart: closer ones would let through unequal shares, and be drawn as stripes.
    """
    low, next_, high = map(
        _mel, (analysis.low_hz, analysis.low_hz + analysis.rate_hz / analysis.points, analysis.high_hz)
    )
    apart = int((high - low) / (next_ - low)) - 1
    bins = max(analysis.bins, min(PICTURED, apart))
    return replace(analysis, bins=bins, coefficients=None, normalize=None)


def _mel(hz: float) -> float:
    """HTK's formula."""
    return 2595 * math.log10(1 + hz / 700)


@lru_cache(maxsize=4)
def spectra_of(analysis: Analysis) -> Spectra:
    """The same layers for the same analysis."""
    return Spectra(analysis)


def mean(features: Tensor, real: Tensor) -> Tensor:
    """[B, T, F] to [B, 1, F], over real [B, T, 1] frames."""
    return (features * real).sum(1, keepdim=True) / real.sum(1, keepdim=True)


def normalized(features: Tensor, real: Tensor) -> Tensor:
    """[B, T, F], each feature of mean 0 and variance 1 over real [B, T, 1] frames."""
    centred = features - mean(features, real)
    return centred * (mean(centred.square(), real) + LEAST_VARIANCE).rsqrt()


def _filters(analysis: Analysis, points: int) -> Tensor:
    """[points / 2 + 1, bins]."""
    with warnings.catch_warnings(action="ignore"):  # what torchaudio warns of is an error of ours
        filters = melscale_fbanks(
            points // 2 + 1, analysis.low_hz, analysis.high_hz, analysis.bins, analysis.rate_hz
        )
    if not filters.any(0).all():
        raise ConfigError(
            f"{analysis.bins} mel filters from {analysis.low_hz:g} to {analysis.high_hz:g} Hz are more "
            f"than a window of {analysis.window} samples tells apart; take fewer bins or a longer window_ms"
        )
    return cast("Tensor", filters)
