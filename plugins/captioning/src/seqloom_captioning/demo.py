"""``seqloom demo captioning``: scenes of our own, and a job that learns to describe them."""

from __future__ import annotations

import json
import random
import shlex
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from seqloom.hooks import Demo, DemoRequest
from seqloom_captioning.scenes import HELD_OUT, Scene, draw, scenes

TRAIN, VALID, TEST = 6000, 100, 300

JOB = """\
# Learns to describe the demo's scenes in less than three minutes on two cores.
task: captioning
preset: show-attend-tell
name: demo-captioning
data:
  train: {file: train.jsonl, columns: {image: image, target: caption}}
  valid: {file: valid.jsonl, columns: {image: image, target: caption}}
  test: {file: test.jsonl, columns: {image: image, target: caption}}
inputs:
  image: {name: image, size: 48, frontend: {name: cnn, channels: [16, 32, 64], blocks: 1}}
tokenizers: {target: word}
model:
  width: 96
  attention: {name: additive, hidden: 32}
  decoder: {hidden: 128, dropout: 0.4, input_feeding: false}
  head: {coverage: 0.0, label_smoothing: 0.1}
train:
  steps: 1800
  batch_elements: 384
  learning_rate: 0.006
  schedule: {name: cosine, warmup: 60}
  optimizer: {weight_decay: 0.01}
evaluate:
  every: 750
  metrics: [exact, bleu4]
  best: exact
  baselines: [nearest]
decode: {beam: 1}
"""


def make_demo(request: DemoRequest) -> Demo:
    """Writes the scenes and the job file; each test scene holds something that no training scene has."""
    folder, rng = Path(request.folder), random.Random(request.seed)  # noqa: S311 - no secret
    known = list(islice(scenes(rng, new=False), TRAIN + VALID))
    splits = {"train": known[:TRAIN], "valid": known[TRAIN:], "test": _distinct(rng, TEST)}
    for name, split in splits.items():
        _write(folder, name, split, rng)
    job = folder / "job.yaml"
    job.write_text(JOB, encoding="utf-8")
    learned = {scene.caption for scene in splits["train"]}
    captions = {scene.caption for split in splits.values() for scene in split}
    held_out = sorted(str(thing).removeprefix("a ") for thing in HELD_OUT)
    pictures = shlex.quote(str(folder / "test"))
    return Demo(
        job=str(job),
        name="demo-captioning",
        facts={
            "scenes": f"{TRAIN:,} for training, {VALID} for validation, {TEST} for the test",
            "different captions": f"{len(captions):,}",
            "never seen in training, one of them in each test scene": ", ".join(held_out),
            "test captions that occur in training": str(
                sum(scene.caption in learned for scene in splits["test"])
            ),
        },
        unseen=[
            (str(folder / _picture("test", number)), scene.caption)
            for number, scene in enumerate(splits["test"][:5])
        ],
        flags={"attention": str(folder / "attention")},
        next=[
            f"seqloom caption {{model}} {shlex.quote(str(folder / _picture('test', 5)))}",
            f"seqloom caption {{model}} {pictures} --sheet {shlex.quote(str(folder / 'sheet'))}",
            "seqloom models show {model}",
        ],
    )


def _distinct(rng: random.Random, count: int) -> list[Scene]:
    """Scenes that hold something new, no two of them described alike."""
    found: dict[str, Scene] = {}
    for scene in scenes(rng, new=True):
        found.setdefault(scene.caption, scene)
        if len(found) == count:
            break
    return list(found.values())


def _write(folder: Path, name: str, split: Sequence[Scene], rng: random.Random) -> None:
    """Draws a split's pictures and lists them with their captions."""
    (folder / name).mkdir(exist_ok=True)
    with (folder / f"{name}.jsonl").open("w", encoding="utf-8") as manifest:
        for number, scene in enumerate(split):
            picture = _picture(name, number)
            draw(scene, rng).save(folder / picture, compress_level=1)
            manifest.write(json.dumps({"image": picture, "caption": scene.caption}) + "\n")


def _picture(name: str, number: int) -> str:
    return f"{name}/{number + 1:04d}.png"
