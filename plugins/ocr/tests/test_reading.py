"""From pictures of lines to a model that reads them, alone or in any company, by CTC or with a decoder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from seqloom.api import load, train
from seqloom.predictor import Predictor
from seqloom_ocr.drawing import drawn

TEXTS = ["7", "12", "300", "44 4", "5 91", "808", "6 6", "2 13"]
JOB = """
task: ocr
preset: %s
name: digits
device: cpu
data:
  train: {file: lines.jsonl, columns: {image: image, target: text}}
  valid: {file: lines.jsonl, columns: {image: image, target: text}}
inputs: {image: {size: 24, frontend: {name: lines, channels: [16, 24, 32]}, augment: {shear: 0, noise: 0}}}
model:
  width: 64
  encoder: {name: rnn, layers: 1, hidden: 64, dropout: 0}
train: {steps: 300, batch_elements: 1000, learning_rate: 0.005, schedule: {name: cosine, warmup: 10}}
evaluate: {every: 300}
"""
DECODER = "  decoder: {name: transformer, layers: 1, heads: 2, feed_forward: 64, dropout: 0}\n"


def read(model: Predictor, files: list[str], **options: object) -> list[str]:
    return model.predict(files, **options)


@pytest.mark.slow
@pytest.mark.parametrize(("preset", "more"), [("ctc", ""), ("tiny", DECODER)])
def test_what_was_learned_is_read(
    preset: str, more: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEQLOOM_REGISTRY", f"sqlite:///{tmp_path / 'registry.db'}")
    monkeypatch.setenv("SEQLOOM_RUNS", str(tmp_path / "runs"))
    random = np.random.default_rng(1)
    rows = [{"image": f"{number}.png", "text": text} for number, text in enumerate(TEXTS)]
    for row in rows:
        drawn(row["text"], random).save(row["image"])
    Path("lines.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    Path("job.yaml").write_text(JOB.replace("%s", preset).replace("train: {steps", more + "train: {steps"))
    trained = train("job.yaml")
    assert {score.metric: score.value for score in trained.scores}["exact"] == 100
    model = load("models:/digits/1")
    files = [row["image"] for row in rows]
    for options in ({"beam": 1}, {"beam": 4}, {"beam": 4, "ctc": 1}, {"beam": 4, "batch_size": 1}):
        assert read(model, files, **options) == TEXTS
