"""Normalised by speaker: all utterances of one in a split together, a lone recording by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from sounds import noise, sweep, write
from torch import Tensor

from seqloom.catalog import Catalog
from seqloom.data.dataset import Dataset
from seqloom.data.manifest import Located
from seqloom.errors import ConfigError
from seqloom.jobfile import load_job
from seqloom.task import Example
from seqloom_audio.build import build
from seqloom_audio.options import AudioOptions

JOB = """\
task: translation
data:
  train: {file: train.tsv, columns: {source: 0, target: 1}, tags: {speaker: 2}}
  valid: {file: valid.tsv, columns: {source: 0, target: 1}}
inputs:
  source: {name: audio, normalize: speaker}
tokenizers: {target: byte}
model: {width: 16, encoder: {name: transformer}, decoder: {name: transformer}}
"""


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Six recordings, some louder than others."""
    levels = (0.9, 0.5, 0.3, 0.2, 0.05, 0.02)
    return [
        write(
            tmp_path / f"{number}.wav",
            level * (sweep(0.3 + 0.1 * number) + 0.3 * noise(0.3 + 0.1 * number)),
        )
        for number, level in enumerate(levels)
    ]


def dataset(files: list[str], speakers: str, **options: object) -> Dataset:
    modality = build(AudioOptions.model_validate({"normalize": "speaker", **options}))
    rows = [
        Located(Example(id_, {"speech": file}, None, [], {} if who == "-" else {"speaker": who}))
        for id_, (file, who) in enumerate(zip(files, speakers, strict=True))
    ]
    return Dataset.load(rows, {"speech": modality}, None)


def seen(data: Dataset) -> list[Tensor]:
    values, lengths = data.collate(range(len(data)), seed=1, epoch=0, augment=False).inputs["speech"]
    return [row[:length] for row, length in zip(values, lengths, strict=True)]


@pytest.mark.parametrize("features", [{"name": "log_mel"}, {"name": "mfcc"}])
def test_each_speaker_has_mean_zero_and_variance_one(features: dict[str, str], files: list[str]) -> None:
    found = seen(dataset(files, "aabbba", features=features))
    for ids in ((0, 1, 5), (2, 3, 4)):
        frames = torch.cat([found[id_] for id_ in ids])
        size = frames.shape[1]
        torch.testing.assert_close(frames.mean(0), torch.zeros(size), rtol=0, atol=1e-4)
        torch.testing.assert_close(frames.var(0, correction=0), torch.ones(size), rtol=0, atol=1e-3)
    louder, softer = (found[id_][:, 0].mean() for id_ in (0, 5))
    assert louder > 0.3 > -0.3 > softer


def test_a_recording_of_nobody_known_is_normalised_by_itself(files: list[str]) -> None:
    by_speaker = seen(dataset(files, "------"))
    by_utterance = seen(dataset(files, "aaabbb", normalize="utterance"))
    for ours, theirs in zip(by_speaker, by_utterance, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)
    assert all(map(torch.equal, by_speaker, seen(dataset(files, "abcdef"))))


def test_a_split_without_speakers_is_refused(tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(JOB)
    with pytest.raises(ConfigError) as refused:
        load_job(tmp_path / "job.yaml", Catalog.from_environment())
    assert str(refused.value) == (
        f"{tmp_path}/job.yaml:6: inputs.source: takes the examples of each speaker together; "
        "'speaker': data.valid has no tags; name its column there"
    )
