"""``seqloom demo ocr``: lines that we draw, and a job that learns to read them."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import numpy as np

from seqloom.hooks import Demo, DemoRequest
from seqloom_ocr.drawing import drawn, line_of_text

COUNTS = {"train": 2000, "valid": 100, "test": 200}

JOB = """\
# Learns to read the demo's lines in some two minutes on two cores.
task: ocr
preset: ctc
name: demo-ocr
data:
  train: {file: train.jsonl, columns: {image: image, target: text}}
  valid: {file: valid.jsonl, columns: {image: image, target: text}}
  test: {file: test.jsonl, columns: {image: image, target: text}}
inputs:
  image:
    frontend: {channels: [16, 32, 64, 96]}
    augment: {shear: 0, stretch: 0, contrast: 0, blur: 0, noise: 0}  # lines are drawn with all that
model: {width: 96, encoder: {hidden: 96, dropout: 0.1}}
train:
  steps: 900
  batch_elements: 4000
  learning_rate: 0.003
  schedule: {name: cosine, warmup: 50}
evaluate:
  every: 450
"""


def make_demo(request: DemoRequest) -> Demo:
    """Draws the lines and writes the job file; no text of the test set occurs in training."""
    folder = Path(request.folder).resolve()
    random = np.random.default_rng(request.seed)
    texts = list(dict.fromkeys(line_of_text(random) for _ in range(2 * sum(COUNTS.values()))))
    written: dict[str, list[tuple[str, str]]] = {}
    for split, count in COUNTS.items():
        chosen, texts = texts[:count], texts[count:]
        written[split] = _write(folder, split, chosen, random)
    job = folder / "job.yaml"
    job.write_text(JOB, encoding="utf-8")
    learned = {text for _, text in written["train"]}
    unseen = [(str(folder / image), text) for image, text in written["test"][:5]]
    images = shlex.quote(str(folder / "images"))
    return Demo(
        job=str(job),
        name="demo-ocr",
        facts={
            "lines": ", ".join(f"{count:,} for {split}" for split, count in COUNTS.items()),
            "test lines whose text occurs in training": str(
                sum(text in learned for _, text in written["test"])
            ),
        },
        unseen=unseen,
        next=[
            f"seqloom read {{model}} {shlex.quote(unseen[0][0])}",
            "seqloom models show {model}",
            f"seqloom read {{model}} {images}/test-*.png --beam 5 --format jsonl",
        ],
    )


def _write(
    folder: Path, split: str, texts: list[str], random: np.random.Generator
) -> list[tuple[str, str]]:
    """Draws lines and lists them in a table; gives each one's file, relative to the folder, and text."""
    (folder / "images").mkdir(exist_ok=True)
    rows = []
    for number, text in enumerate(texts):
        image = f"images/{split}-{number:04d}.png"
        drawn(text, random).save(folder / image)
        rows.append((image, text))
    lines = [json.dumps({"image": image, "text": text}) + "\n" for image, text in rows]
    (folder / f"{split}.jsonl").write_text("".join(lines), encoding="utf-8")
    return rows
