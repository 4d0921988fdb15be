"""Sound as a sequence of vectors, fewer of them than there are frames."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, final

from torch import nn

from seqloom.batch import Padded
from seqloom.modality import Frontend
from seqloom_audio.normalization import CorpusNorm
from seqloom_audio.spectra import Spectra


class Subsampling(nn.Module, ABC):
    """The layers that make one vector of some frames.

    Attributes:
        stride: How many: n.
    """

    stride: int

    @abstractmethod
    def forward(self, features: Padded) -> Padded:
        """[B, T, F], zero on padding, to [B, S, D], S = ceil(T / n)."""


@final
class AudioFrontend(Frontend):
    """Subsampling after whatever is left to do until then.

    Args:
        subsampling: The layers that learn.
        spectra: What makes features of samples; None where data workers do.
        corpus: What normalises features by all of the training data; None for nothing.
    """

    def __init__(
        self, subsampling: Subsampling, spectra: Spectra | None = None, corpus: CorpusNorm | None = None
    ) -> None:
        super().__init__()
        self.learns_from_data = corpus is not None
        self.stride = subsampling.stride
        self.subsampling = subsampling
        self.spectra = spectra
        self.corpus = corpus

    def forward(self, features: Padded) -> Padded:
        """Spectra [B, T, F] or samples [B, T, hop], perhaps with masks, to [B, S, D]."""
        seen = self._spectra(features)
        if self.corpus is not None:
            seen = self.corpus(seen)
        else:
            seen = seen._replace(values=seen.values * seen.mask()[:, :, None])
        found: Padded = self.subsampling(seen)
        return found

    def compile(self, *_args: Any, **_kwargs: Any) -> None:
        """Nothing: transforms and convolutions are kernels already.

        Inductor (torch 2.14) fails, too, on some of them where all sizes may change.
        """

    def fit(self, batches: Iterable[Padded]) -> None:
        """Takes mean and variance of the features, where they are normalised by them."""
        if self.corpus is None:
            super().fit(batches)
        else:
            self.corpus.fit(map(self._spectra, batches))

    def _spectra(self, features: Padded) -> Padded:
        return features if self.spectra is None else self.spectra(features)
