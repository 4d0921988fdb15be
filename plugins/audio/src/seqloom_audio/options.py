"""What a job may set of sound; read without torch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from seqloom.hooks import Options
from seqloom_audio.formats import CHANNELS, HIGHEST_HZ, LOWEST_HZ

Speed = Annotated[float, Field(ge=0.5, le=2)]
Decibels = Annotated[float, Field(ge=-60, le=60)]


class FilterOptions(Options):
    """Of mel filters."""

    bins: int = Field(80, ge=1, le=512, description="Mel filters.")
    window_ms: float = Field(25.0, gt=0, le=1000, description="What a frame sees.")
    hop_ms: float = Field(10.0, gt=0, le=1000, description="From one frame to the next.")
    low_hz: float = Field(20.0, ge=0, description="Where the lowest filter begins.")
    high_hz: float | None = Field(
        None, gt=0, description="Where the highest filter ends; null for half the rate."
    )


class LogMelOptions(FilterOptions):
    """Of logarithms of what filters let through."""

    name: Literal["log_mel"] = Field("log_mel", description="log_mel or mfcc.")


class MfccOptions(FilterOptions):
    """Of cepstral coefficients of these logarithms."""

    name: Literal["mfcc"] = Field("mfcc", description="log_mel or mfcc.")
    coefficients: int = Field(13, ge=1, description="How many are kept; at most as many as bins.")


class AugmentOptions(Options):
    """How sound varies from pass to pass of a training; nothing does unless asked for."""

    speeds: tuple[Speed, ...] = Field(
        (), description="Factors of speed to choose among, evenly: [0.9, 1.0, 1.1] (Ko et al. 2015)."
    )
    noise: str | None = Field(
        None, description="A folder with recordings of noise to mix in (~ and $NAME are expanded)."
    )
    noise_share: float = Field(0.5, gt=0, le=1, description="How many of the utterances get noise.")
    snr_db: tuple[Decibels, Decibels] = Field(
        (5.0, 20.0), description="How much louder than the noise an utterance is, from and to."
    )
    time_masks: int = Field(
        0, ge=0, description="Masks over time, of which SpecAugment (Park et al. 2019) has 2."
    )
    time_mask_ms: float = Field(1000.0, gt=0, description="Longest of them.")
    time_mask_share: float = Field(
        0.2, gt=0, le=1, description="Greatest share of an utterance that one of them covers."
    )
    frequency_masks: int = Field(
        0, ge=0, description="Masks over frequency, of which SpecAugment has 2. Of log_mel."
    )
    frequency_mask_bins: int = Field(27, ge=1, description="Widest of them, in mel filters.")


class ConvolutionOptions(Options):
    """Of convolutions over time and frequency (Dong et al. 2018)."""

    name: Literal["convolution"] = Field("convolution", description="convolution or stack.")
    channels: int = Field(32, ge=1, description="Of each layer.")
    subsampling: Literal[2, 4, 8] = Field(4, description="Frames of one position: a layer for each 2.")


class StackOptions(Options):
    """Of frames joined side by side (Sak et al. 2015)."""

    name: Literal["stack"] = Field("stack", description="convolution or stack.")
    frames: int = Field(3, ge=1, le=64, description="How many are one position.")


class AudioOptions(Options):
    """Of sound."""

    rate_hz: int = Field(
        16_000, ge=LOWEST_HZ, le=HIGHEST_HZ, description="Samples a second that a recording is brought to."
    )
    channel: Literal["mix"] | Annotated[int, Field(ge=0, lt=CHANNELS)] = Field(
        "mix", description="Which channel is heard, counted from 0; mix for the mean of all."
    )
    longest_s: float = Field(
        3600.0, gt=0, le=86_400, description="Seconds at most; an input of more is an error."
    )
    features: Annotated[LogMelOptions | MfccOptions, Field(discriminator="name")] = Field(
        LogMelOptions(), description="What a model sees of sound."
    )
    normalize: Literal["utterance", "speaker", "corpus", "none"] = Field(
        "utterance",
        description="Over what each feature has mean 0 and variance 1: an utterance, all utterances of its "
        "speaker (data's tag `speaker`), or the training data.",
    )
    compute: Literal["workers", "device"] = Field(
        "workers",
        description="Who makes features of samples: who makes batches, or the device that trains.",
    )
    augment: AugmentOptions = Field(AugmentOptions(), description="How sound varies in training.")
    frontend: Annotated[ConvolutionOptions | StackOptions, Field(discriminator="name")] = Field(
        ConvolutionOptions(), description="What turns frames into vectors."
    )

    @property
    def high_hz(self) -> float:
        """Where the highest filter ends."""
        return self.features.high_hz or self.rate_hz / 2

    @property
    def pools_by(self) -> str | None:
        """The tag whose examples are normalised together."""
        return "speaker" if self.normalize == "speaker" else None

    def samples(self, milliseconds: float) -> int:
        """So long at this rate."""
        return round(self.rate_hz * milliseconds / 1000)

    @model_validator(mode="after")
    def _check(self) -> AudioOptions:
        features, augment = self.features, self.augment
        hop = self.rate_hz * features.hop_ms / 1000
        if hop < 1 or hop != round(hop):
            raise ValueError(
                f"features.hop_ms: {features.hop_ms:g} ms are {hop:g} samples at {self.rate_hz} Hz; "
                "they must be a whole number"
            )
        if features.window_ms < features.hop_ms:
            raise ValueError(
                "features.window_ms: a window shorter than hop_ms would miss some of the sound"
            )
        if not features.low_hz < self.high_hz <= self.rate_hz / 2:
            raise ValueError(
                f"features: filters from {features.low_hz:g} to {self.high_hz:g} Hz, of the "
                f"{self.rate_hz / 2:g} that sound of {self.rate_hz} samples a second has"
            )
        if isinstance(features, MfccOptions):
            if features.coefficients > features.bins:
                raise ValueError("features.coefficients: there are at most as many as bins")
            if augment.frequency_masks:
                raise ValueError(
                    "augment.frequency_masks is for log_mel: a coefficient is of all frequencies"
                )
        if augment.snr_db[0] > augment.snr_db[1]:
            raise ValueError("augment.snr_db: the lower number comes first")
        return self
