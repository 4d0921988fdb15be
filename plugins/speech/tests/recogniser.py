"""A small recogniser that has learned next to nothing: whatever it hears, it always hears the same."""

from __future__ import annotations

import json
from pathlib import Path

import talks

from seqloom.api import train

JOB = """
task: {name: speech, piece_s: 5}
name: little
device: cpu
data:
  train: {file: train.jsonl, columns: {speech: audio, target: text}}
  valid: {file: train.jsonl, columns: {speech: audio, target: text}}
tokenizers: {target: char}
inputs:
  speech:
    name: audio
    features: {name: log_mel, bins: 20}
    frontend: {name: stack, frames: 8}
    augment: {speeds: []}
model:
  width: 16
  encoder: {name: transformer, layers: 1, heads: 2, feed_forward: 32}
  head: ctc
  decoder: null
train: {steps: 2, batch_elements: 2000, learning_rate: 0.0001}
evaluate: {every: 2, metrics: []}
decode: {beam: 1}
"""


def make_recogniser(folder: Path) -> Path:
    """Trains it in a folder; gives the model's."""
    rows = []
    for number in range(4):
        file = talks.written(folder / f"{number}.wav", talks.babble(1 + number / 4, number))
        rows.append({"audio": Path(file).name, "text": "a bc def"[: 5 + number]})
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "job.yaml").write_text(JOB)
    return Path(train(folder / "job.yaml").model.folder)
