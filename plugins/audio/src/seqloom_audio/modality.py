"""The modality ``audio``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from seqloom.batch import Padded
from seqloom.drawing import Draw
from seqloom.modality import Modality
from seqloom.nn.embedding import TokenEmbedding
from seqloom_audio.augmentation import SoundAugmentation
from seqloom_audio.frontends.base import AudioFrontend
from seqloom_audio.masking import Masking
from seqloom_audio.measures import MEASURES, measured
from seqloom_audio.normalization import mean_and_scale, moments
from seqloom_audio.reading import read_sound
from seqloom_audio.recording import Channel
from seqloom_audio.rows import rows_of, with_numbers
from seqloom_audio.spectra import Analysis, pictured, spectra_of


@dataclass(frozen=True, kw_only=True)
class Source:
    """What is read of a file.

    Attributes:
        rate_hz: Samples a second.
        channel: Which channel, or all of them mixed.
        longest_s: Seconds at most.
    """

    rate_hz: int
    channel: Channel
    longest_s: float


class AudioModality(Modality):
    """Sound as rows of samples, of which a spectrum is made when a batch needs it.

    Args:
        source: What is read.
        analysis: What becomes of it.
        frontend: Makes a front end of a width.
        augmentation: Varies samples.
        masking: Hides parts of spectra.
        pools_by: The tag whose examples are normalised together, where they are.
        on_device: Whether the front end makes spectra itself, of the samples that it is given.

    Attributes:
        source: What is read of a file.
        rate: Frames a second.
    """

    measures = MEASURES
    rate: float

    def __init__(
        self,
        source: Source,
        analysis: Analysis,
        frontend: Callable[[int], AudioFrontend],
        *,
        augmentation: SoundAugmentation,
        masking: Masking,
        pools_by: str | None,
        on_device: bool,
    ) -> None:
        self.rate = analysis.rate_hz / analysis.hop
        self.varies = bool(augmentation or masking)
        self.pools_by = pools_by
        self.source = source
        self._analysis = analysis
        self._frontend = frontend
        self._augmentation = augmentation
        self._masking = masking
        self._on_device = on_device

    def read(self, raw: str) -> Tensor:
        """Samples [T, hop] int16."""
        samples = read_sound(raw, self.source.rate_hz, self.source.channel, self.source.longest_s)
        return rows_of(samples, self._analysis.hop)

    def augment(self, features: Tensor, generator: torch.Generator) -> Tensor:
        """Samples [T, hop] faster or slower, with noise: [T', hop]."""
        return self._augmentation(features, Draw(generator)) if self._augmentation else features

    @torch.no_grad()
    def sums(self, features: Tensor) -> Tensor:
        """Samples [T, hop] to the moments [1 + 2 F] of what is seen of them."""
        return moments(spectra_of(self._analysis).plain(features[None])[0])

    def present(
        self, features: Tensor, generator: torch.Generator | None, sums: Tensor | None = None
    ) -> Tensor:
        """Samples [T, hop] int16 to spectra [T, F] float32; or for the device, to what it makes them of."""
        rows = self._rows(features, generator, sums)
        return rows if self._on_device else self._spectrum(rows)

    @torch.no_grad()
    def spectrum(self, features: Tensor) -> Tensor:
        """Samples [T, hop] int16 to what people look at: logarithms [T, F'] float32 of mel filters.

        They are those of :func:`seqloom_audio.spectra.pictured`, whatever the model sees.
        """
        return spectra_of(pictured(self._analysis)).logarithms(features[None])[0]

    def _rows(self, features: Tensor, generator: torch.Generator | None, sums: Tensor | None) -> Tensor:
        """Samples with all that their spectrum takes: masks, and the numbers that it is normalised by."""
        rows = features if generator is None else self.augment(features, generator)
        if self._masking and generator is not None:
            masked = self._masking(len(rows), self._analysis.size, Draw(generator))
            rows = torch.cat([rows, masked.to(rows.dtype)], 1)
        if self.pools_by is not None:
            total = self.sums(features) if sums is None else sums
            rows = with_numbers(rows, mean_and_scale(total).float())
        return rows

    def _spectrum(self, rows: Tensor) -> Tensor:
        with torch.no_grad():
            spectra: Padded = spectra_of(self._analysis)(Padded(rows[None], torch.tensor([len(rows)])))
        return spectra.values[0]

    def measure(self, features: Tensor) -> tuple[float, float, float]:
        return measured(features, self.source.rate_hz)

    def frontend(self, width: int, embedding: TokenEmbedding | None) -> AudioFrontend:  # noqa: ARG002
        return self._frontend(width)
