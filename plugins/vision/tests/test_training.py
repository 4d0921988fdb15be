"""From pictures in files to a model that needs nothing but itself."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from samples import encoded, picture
from torchvision.models import get_model

from seqloom.api import load, train
from seqloom.catalog import Catalog
from seqloom.errors import ConfigError, DataError, Interrupted
from seqloom.jobfile import load_job
from seqloom.jobs import resume_job, train_job
from seqloom.registry.store import Registry
from seqloom.site import Site

JOB = """
task: translation
device: cpu
data:
  train: {file: train.jsonl, columns: {source: image, target: text}}
  valid: {file: train.jsonl, columns: {source: image, target: text}}
tokenizers: {target: byte}
model:
  width: 16
  encoder: {name: transformer, layers: 1, heads: 2, feed_forward: 32}
  decoder: {name: transformer, layers: 1, heads: 2, feed_forward: 32}
train: {steps: 4, batch_elements: 200, schedule: {name: constant, warmup: 0}, learning_rate: 0.01}
evaluate: {every: 2}
"""
BACKBONE = """
inputs:
  source:
    name: image
    size: 32
    augment: {crop: 0.5, flip: true}
    frontend: {name: torchvision, backbone: squeezenet1_1, weights: weights.safetensors, train: frozen}
"""
LINES = """
inputs:
  source: {name: image, size: 16, augment: {stretch: 0.2}, frontend: {name: lines, channels: [8, 8]}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEQLOOM_REGISTRY", f"sqlite:///{tmp_path / 'registry.db'}")
    monkeypatch.setenv("SEQLOOM_RUNS", str(tmp_path / "runs"))
    rows = []
    for number in range(6):
        name = f"{number}.png"
        Path(name).write_bytes(encoded(picture(40 + 7 * number, 30, seed=number), "PNG"))
        rows.append({"image": name, "text": f"picture {number}"})
    Path("train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    torch.manual_seed(7)
    save_file(get_model("squeezenet1_1").state_dict(), "weights.safetensors")
    return tmp_path


def write_job(folder: Path, text: str) -> Path:
    job = folder / "job.yaml"
    job.write_text(JOB + text)
    return job


@pytest.mark.slow
def test_a_frozen_backbone_begins_with_its_weights_and_keeps_them(folder: Path) -> None:
    job = write_job(folder, BACKBONE)
    done = train(job, overrides=["train.steps=2"])
    frozen = load(done.model.uri).model.frontends["source"].trunk.network.state_dict()
    given = load_file("weights.safetensors")
    assert all(torch.equal(tensor, given[name]) for name, tensor in frozen.items())


@pytest.mark.slow
def test_a_model_needs_its_first_weights_no_more(folder: Path) -> None:
    done = train(write_job(folder, BACKBONE))
    (folder / "weights.safetensors").unlink()
    assert len(load(done.model.uri).predict([str(folder / "0.png")])) == 1


@pytest.mark.slow
def test_a_training_that_goes_on_needs_them_no_more(folder: Path) -> None:
    job = write_job(folder, BACKBONE)
    whole = train(job)
    asked = iter([None, None, signal.SIGINT])
    catalog = Catalog.from_environment()
    with Registry() as registry:
        site = Site(catalog, registry, folder / "elsewhere")
        with pytest.raises(Interrupted):
            train_job(load_job(job, catalog), replace(site, stop=lambda: next(asked)))
        (folder / "weights.safetensors").unlink()
        (run,) = (one for one in site.runs.iterdir() if (one / "checkpoints").is_dir())
        resumed = resume_job(run, site)
    first, second = (load(one.model.uri).model.weights() for one in (whole, resumed))
    assert all(torch.equal(tensor, second[name]) for name, tensor in first.items())


def test_weights_that_are_not_there_end_it_at_once(folder: Path) -> None:
    (folder / "weights.safetensors").unlink()
    with pytest.raises(ConfigError, match=r"weights\.safetensors: cannot be read"):
        train(write_job(folder, BACKBONE))


@pytest.mark.slow
def test_lines_of_all_widths_are_learned(folder: Path) -> None:
    done = train(write_job(folder, LINES))
    texts = load(done.model.uri).predict([str(folder / f"{number}.png") for number in range(6)])
    assert len(texts) == 6


def test_a_broken_picture_is_told_with_its_line(folder: Path) -> None:
    (folder / "3.png").write_bytes(b"no picture")
    with pytest.raises(
        DataError, match=r"train\.jsonl:4: source: .*3\.png: no JPEG, PNG, WebP or BMP picture"
    ):
        train(write_job(folder, LINES))


@pytest.mark.slow
def test_a_broken_picture_may_be_skipped(folder: Path) -> None:
    (folder / "3.png").write_bytes((folder / "3.png").read_bytes()[:100])
    overrides = ["data.on_bad_example=skip", "data.bad_examples=0.5"]
    (folder / "valid.jsonl").write_text((folder / "train.jsonl").read_text().splitlines()[0] + "\n")
    done = train(write_job(folder, LINES), overrides=[*overrides, "data.valid.file=valid.jsonl"])
    (line,) = (folder / "runs" / done.run.id / "skipped.jsonl").read_text().splitlines()
    assert "a truncated PNG" in json.loads(line)["reason"]
