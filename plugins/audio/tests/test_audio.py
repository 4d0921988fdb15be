"""The modality ``audio`` keeps the contract of modalities, with each of its front ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from sounds import noise, sweep, write

from seqloom.testing import ModalityContract
from seqloom_audio.build import build
from seqloom_audio.modality import AudioModality
from seqloom_audio.options import AudioOptions

MASKS = {"time_masks": 2, "time_mask_ms": 100, "frequency_masks": 2, "frequency_mask_bins": 5}


def audio(**options: Any) -> AudioModality:
    return build(AudioOptions.model_validate(options))


class AudioContract(ModalityContract):
    module = "seqloom_audio"
    options: Mapping[str, Any]

    def build(self) -> AudioModality:
        augment = {"speeds": [0.9, 1.0, 1.1], **MASKS}
        return audio(**{"augment": augment, "features": {"name": "log_mel", "bins": 20}, **self.options})

    def raws(self, tmp_path: Path) -> Iterable[str]:
        for number, seconds in enumerate((0.31, 0.5, 0.105, 0.004)):
            samples = sweep(seconds, 8000) + 0.1 * noise(seconds, 8000, seed=number)
            yield write(tmp_path / f"{number}.wav", samples, rate=8000)
        yield write(tmp_path / "silence.wav", np.zeros(1000), rate=8000)


class TestConvolution(AudioContract):
    options = MappingProxyType({"frontend": {"name": "convolution", "channels": 4, "subsampling": 8}})


class TestConvolutionOfSamples(AudioContract):
    options = MappingProxyType({"compute": "device", "frontend": {"name": "convolution", "subsampling": 2}})


class TestStack(AudioContract):
    options = MappingProxyType({"normalize": "corpus", "frontend": {"name": "stack", "frames": 3}})


class TestStackOfSamples(AudioContract):
    options = MappingProxyType(
        {"compute": "device", "normalize": "corpus", "frontend": {"name": "stack", "frames": 1}}
    )


class TestCepstra(AudioContract):
    options = MappingProxyType(
        {"features": {"name": "mfcc"}, "augment": {"time_masks": 1}, "compute": "device"}
    )
