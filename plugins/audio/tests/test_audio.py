"""The modality ``audio`` keeps the contract of modalities, with each of its front ends."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
import torch
from sounds import noise, sweep, write

from seqloom.testing import ModalityContract
from seqloom.testing.samples import pad_loudly
from seqloom_audio.build import build
from seqloom_audio.modality import AudioModality
from seqloom_audio.options import AudioOptions

MASKS = {"time_masks": 2, "time_mask_ms": 100, "frequency_masks": 2, "frequency_mask_bins": 5}
STACK = {"name": "stack", "frames": 2}


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


class TestSpeakers(AudioContract):
    options = MappingProxyType({"normalize": "speaker", "frontend": {"name": "stack"}})


class TestSpeakersOfSamples(AudioContract):
    options = MappingProxyType({"normalize": "speaker", "compute": "device", "frontend": {"name": "stack"}})


class TestCepstra(AudioContract):
    options = MappingProxyType(
        {"features": {"name": "mfcc"}, "augment": {"time_masks": 1}, "compute": "device"}
    )


@pytest.mark.parametrize("normalize", ["utterance", "speaker", "corpus", "none"])
@pytest.mark.parametrize("features", ["log_mel", "mfcc"])
@pytest.mark.parametrize("seed", [None, 1])
def test_the_device_computes_what_workers_do(
    normalize: str, features: str, seed: int | None, tmp_path: Path
) -> None:
    """Masks and all; a batch for the device is samples, and for workers' front ends, spectra."""
    augment = {"speeds": [0.9, 1.1], "time_masks": 2}
    if features == "log_mel":
        augment |= MASKS
    raws = [
        write(tmp_path / f"{n}.wav", sweep(0.2 + 0.1 * n) + 0.1 * noise(0.2 + 0.1 * n)) for n in range(3)
    ]
    made = []
    for compute in ("workers", "device"):
        modality = audio(
            compute=compute,
            normalize=normalize,
            augment=augment,
            features={"name": features},
            frontend=STACK,
        )
        inputs = [
            modality.present(
                modality.read(raw), None if seed is None else torch.Generator().manual_seed(seed)
            )
            for raw in raws
        ]
        assert {one.dtype for one in inputs} == {torch.float32 if compute == "workers" else torch.int16}
        torch.manual_seed(1)
        made.append(modality.frontend(8, None)(pad_loudly(inputs)))
    assert torch.equal(made[0].lengths, made[1].lengths)
    for row, length in enumerate(made[0].lengths.tolist()):
        ours, theirs = (one.values[row, :length] for one in made)
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_it_pickles_small() -> None:
    assert len(pickle.dumps(audio(augment={**MASKS, "speeds": [0.9, 1.1], "noise": "noises"}))) < 4000


def test_what_does_not_vary_says_so() -> None:
    assert not audio().varies
    for augment in ({"speeds": [0.9]}, {"noise": "noises"}, {"time_masks": 1}, {"frequency_masks": 1}):
        assert audio(augment=augment).varies
