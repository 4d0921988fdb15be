"""``seqloom demo summarization``: reports of our own, and a job that learns to write their headlines."""

from __future__ import annotations

import json
import random
import shlex
from itertools import islice
from pathlib import Path

from seqloom.hooks import Demo, DemoRequest
from seqloom_summarization.reports import names, reports

TRAIN, VALID, TEST = 4000, 100, 200
UNSEEN = 0.2
"""Share of the names of towns and people that only the test knows."""

JOB = """\
# Learns to write the headlines of the demo's reports in a minute or so.
task: {name: summarization, piece: 120}
preset: lstm
name: demo-summarization
data:
  train: {file: train.jsonl, columns: {source: text, target: headline}}
  valid: {file: valid.jsonl, columns: {source: text, target: headline}}
  test: {file: test.jsonl, columns: {source: text, target: headline}}
tokenizers: {joint: {name: bpe, size: 700}}
model:
  width: 64
  encoder: {hidden: 96, dropout: 0.1}
  attention: {hidden: 48}
  decoder: {hidden: 128, dropout: 0.1}
train:
  steps: 350
  batch_elements: 4096
  learning_rate: 0.006
  schedule: {name: cosine, warmup: 40}
evaluate:
  every: 175
  metrics: [rouge1, rouge2, rougel]
  best: rougel
decode: {beam: 4, max_length_offset: 30}
"""


def make_demo(request: DemoRequest) -> Demo:
    """Writes the reports and the job file; each test report is of a town that no other report names."""
    folder, rng = Path(request.folder), random.Random(request.seed)  # noqa: S311 - no secret
    known, new = names(rng, UNSEEN)
    some = list(islice(reports(rng, known), TRAIN + VALID))
    splits = {"train": some[:TRAIN], "valid": some[TRAIN:], "test": list(islice(reports(rng, new), TEST))}
    for name, split in splits.items():
        lines = (json.dumps({"text": one.text, "headline": one.headline}) + "\n" for one in split)
        (folder / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
    job = folder / "job.yaml"
    job.write_text(JOB, encoding="utf-8")
    test, learned = splits["test"], {one.headline for one in splits["train"]}
    return Demo(
        job=str(job),
        name="demo-summarization",
        facts={
            "reports": f"{TRAIN:,} for training, {VALID} for validation, {TEST} for the test",
            "test headlines that occur in training": str(sum(one.headline in learned for one in test)),
        },
        unseen=[(one.text, one.headline) for one in test[:5]],
        next=[
            f"seqloom summarize {{model}} {shlex.quote(test[5].text)}",
            f"seqloom summarize {{model}} --n-best 3 --format jsonl {shlex.quote(test[5].text)}",
            "seqloom evaluate {model}",
        ],
    )
