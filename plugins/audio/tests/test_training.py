"""From recordings in files to a model that transcribes them, with nothing but itself."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from sounds import noise, sweep, write

from seqloom.api import Trained, load, train
from seqloom.catalog import Catalog
from seqloom.errors import DataError, Interrupted
from seqloom.jobfile import load_job
from seqloom.jobs import resume_job, train_job
from seqloom.registry.store import Registry
from seqloom.site import Site
from seqloom_audio.build import build
from seqloom_audio.frontends.base import AudioFrontend
from seqloom_audio.options import AudioOptions

JOB = """
task: translation
device: cpu
data:
  train: {file: train.jsonl, columns: {source: audio, target: text}, tags: {speaker: who}}
  valid: {file: train.jsonl, columns: {source: audio, target: text}, tags: {speaker: who}}
tokenizers: {target: byte}
model:
  width: 16
  encoder: {name: transformer, layers: 1, heads: 2, feed_forward: 32}
  decoder: {name: transformer, layers: 1, heads: 2, feed_forward: 32}
train:
  steps: 4
  batch_elements: 200
  schedule: {name: constant, warmup: 0}
  learning_rate: 0.05
  optimizer: {name: sgd}
evaluate: {every: 2}
inputs:
  source:
    name: audio
    rate_hz: 8000
    features: {name: log_mel, bins: 20}
    frontend: {name: convolution, channels: 4}
"""
LOG_MEL = {"name": "log_mel", "bins": 20}
VARIED = (
    "    augment: {speeds: [0.9, 1.0, 1.1], time_masks: 1, frequency_masks: 1, frequency_mask_bins: 4}\n"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEQLOOM_REGISTRY", f"sqlite:///{tmp_path / 'registry.db'}")
    monkeypatch.setenv("SEQLOOM_RUNS", str(tmp_path / "runs"))
    rows = []
    for number in range(6):
        name = f"{number}.flac"
        samples = sweep(0.3 + 0.1 * number, 8000, low=200 + 100 * number) + 0.1 * noise(
            0.3 + 0.1 * number, 8000
        )
        write(Path(name), samples, rate=8000)
        rows.append({"audio": name, "text": f"{number}{number}", "who": number % 2})
    Path("train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def trained(text: str, *overrides: str) -> Trained:
    Path("job.yaml").write_text(JOB + text)
    return train("job.yaml", overrides=overrides)


def weights(done: Trained) -> dict[str, torch.Tensor]:
    return load(done.model.uri).model.weights()


@pytest.mark.slow
@pytest.mark.parametrize("normalize", ["utterance", "speaker", "corpus"])
def test_it_learns_alike_whoever_makes_the_spectra(normalize: str, folder: Path) -> None:
    by_workers, by_device = (
        weights(trained(f"{VARIED}    normalize: {normalize}\n    compute: {compute}\n"))
        for compute in ("workers", "device")
    )
    assert by_workers.keys() == by_device.keys()
    for name, tensor in by_workers.items():
        torch.testing.assert_close(tensor, by_device[name], atol=2e-4, rtol=1e-3)


@pytest.mark.slow
def test_workers_make_what_the_training_would(folder: Path) -> None:
    Path("noises").mkdir()
    write(Path("noises/hiss.wav"), noise(2.0, 8000), rate=8000)
    noisy = VARIED.replace("{speeds", "{noise: noises, noise_share: 1.0, speeds")
    noisy += "    normalize: speaker\n"
    here, elsewhere = (weights(trained(noisy, f"data.workers={count}")) for count in (0, 2))
    assert all(torch.equal(tensor, elsewhere[name]) for name, tensor in here.items())


@pytest.mark.slow
def test_a_corpus_is_taken_once(folder: Path) -> None:
    """What was learned of it is the model's own, and the training's that goes on."""
    corpus = VARIED + "    normalize: corpus\n    compute: device\n"
    whole = weights(trained(corpus))
    asked = iter([None, None, signal.SIGINT])
    catalog = Catalog.from_environment()
    with Registry() as registry:
        site = Site(catalog, registry, folder / "elsewhere")
        with pytest.raises(Interrupted):
            train_job(load_job(folder / "job.yaml", catalog), replace(site, stop=lambda: next(asked)))
        (run,) = (one for one in site.runs.iterdir() if (one / "checkpoints").is_dir())
        with pytest.MonkeyPatch.context() as patch:
            patch.delattr(AudioFrontend, "fit")  # it would raise
            resumed = load(resume_job(run, site).model.uri).model.weights()
    assert all(torch.equal(tensor, resumed[name]) for name, tensor in whole.items())
    modality = build(
        AudioOptions.model_validate({"rate_hz": 8000, "features": LOG_MEL, "normalize": "none"})
    )
    frames = torch.cat([modality.present(modality.read(f"{number}.flac"), None) for number in range(6)])
    mean = whole["frontends.source.corpus.mean"]
    torch.testing.assert_close(mean, frames.mean(0), rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_a_model_transcribes_recordings(folder: Path) -> None:
    done = trained("")
    assert len(load(done.model.uri).predict(["0.flac", "1.flac"])) == 2


def test_a_broken_recording_is_told_with_its_line(folder: Path) -> None:
    Path("3.flac").write_bytes(Path("3.flac").read_bytes()[:-100])
    with pytest.raises(
        DataError, match=r"train\.jsonl:4: source: .*3\.flac: damaged: flac decoder lost sync"
    ):
        trained("")
