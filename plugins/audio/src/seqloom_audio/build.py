"""Options to objects."""

from __future__ import annotations

from functools import partial

from seqloom_audio.augmentation import SoundAugmentation
from seqloom_audio.frontends.base import AudioFrontend, Subsampling
from seqloom_audio.frontends.convolution import Convolution
from seqloom_audio.frontends.stack import Stack
from seqloom_audio.masking import Masking
from seqloom_audio.modality import AudioModality, Source
from seqloom_audio.noises import Noises
from seqloom_audio.normalization import CorpusNorm
from seqloom_audio.options import AudioOptions, ConvolutionOptions, MfccOptions
from seqloom_audio.spectra import Analysis, Spectra, spectra_of


def build(options: AudioOptions) -> AudioModality:
    """The modality that options ask for.

    Raises:
        ConfigError: There are more mel filters than a window can tell apart.
    """
    spectra_of(_analysis(options))  # tells at once what cannot be
    return AudioModality(
        Source(rate_hz=options.rate_hz, channel=options.channel, longest_s=options.longest_s),
        _analysis(options),
        partial(build_frontend, options),
        augmentation=_augmentation(options),
        masking=_masking(options),
        pools_by=options.pools_by,
        on_device=options.compute == "device",
    )


def build_frontend(options: AudioOptions, width: int) -> AudioFrontend:
    """The front end that options ask for."""
    analysis = _analysis(options)
    return AudioFrontend(
        _subsampling(options, width, analysis.size),
        Spectra(analysis) if options.compute == "device" else None,
        CorpusNorm(analysis.size) if options.normalize == "corpus" else None,
    )


def _subsampling(options: AudioOptions, width: int, bins: int) -> Subsampling:
    chosen = options.frontend
    if isinstance(chosen, ConvolutionOptions):
        return Convolution(width, bins, chosen.channels, chosen.subsampling.bit_length() - 1)
    return Stack(width, bins, chosen.frames)


def _analysis(options: AudioOptions) -> Analysis:
    features = options.features
    return Analysis(
        rate_hz=options.rate_hz,
        hop=options.samples(features.hop_ms),
        window=options.samples(features.window_ms),
        bins=features.bins,
        low_hz=features.low_hz,
        high_hz=options.high_hz,
        coefficients=features.coefficients if isinstance(features, MfccOptions) else None,
        normalize=options.normalize if options.normalize in ("utterance", "speaker") else None,
    )


def _augmentation(options: AudioOptions) -> SoundAugmentation:
    given = options.augment
    return SoundAugmentation(
        speeds=given.speeds,
        noises=None if given.noise is None else Noises(given.noise, options.rate_hz),
        noise_share=given.noise_share,
        snr_db=given.snr_db,
    )


def _masking(options: AudioOptions) -> Masking:
    given = options.augment
    return Masking(
        time_masks=given.time_masks,
        time_frames=round(given.time_mask_ms / options.features.hop_ms),
        time_share=given.time_mask_share,
        frequency_masks=given.frequency_masks,
        frequency_bins=given.frequency_mask_bins,
    )
