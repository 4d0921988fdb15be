"""The nearest recording is the one that sounds most alike, whoever makes the spectra."""

from __future__ import annotations

from pathlib import Path

import pytest
from sounds import noise, sweep, write

from seqloom.baselines import baseline_answers
from seqloom.data.dataset import Dataset
from seqloom.data.features import FeatureReader
from seqloom.data.manifest import Located
from seqloom.task import Example
from seqloom_audio.build import build
from seqloom_audio.options import AudioOptions


def located(files: list[str], texts: list[str]) -> list[Located]:
    rows = enumerate(zip(files, texts, strict=True))
    return [Located(Example(id_, {"speech": file}, text, [text])) for id_, (file, text) in rows]


@pytest.mark.parametrize("compute", ["workers", "device"])
def test_a_recording_is_answered_by_its_like(compute: str, tmp_path: Path) -> None:
    modality = build(AudioOptions.model_validate({"compute": compute, "augment": {"time_masks": 1}}))
    tones = {"low": 300.0, "middle": 1200.0, "high": 4000.0}
    known = [write(tmp_path / f"{name}.wav", sweep(0.3, low=hertz)) for name, hertz in tones.items()]
    asked = [
        write(tmp_path / f"{name}-noisy.wav", sweep(0.3, low=hertz) + 0.02 * noise(0.3, seed=3))
        for name, hertz in tones.items()
    ]
    longer = write(tmp_path / "longer.wav", sweep(0.5))
    modalities = {"speech": modality}
    found = baseline_answers(
        ["nearest"],
        Dataset.load(located([*asked, longer], ["?"] * 4), modalities, None),
        [*located([known[0]], ["low"]), *located(known, list(tones))],
        FeatureReader(modalities, None, from_files=modalities),
    )
    assert found == {"nearest": [*tones, "low"]}  # of the longest, none has as many frames
