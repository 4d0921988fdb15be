"""``seqloom demo dialogue``: conversations of our own, and a job that learns to answer in them."""

from __future__ import annotations

import json
import random
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from seqloom.hooks import Demo, DemoRequest
from seqloom_dialogue.talks import Talk, split, talk
from seqloom_dialogue.turns import write_turns

TRAIN, VALID, TEST = 4000, 60, 120
SHOWN: Final = 5

JOB = """\
# Learns to answer in the demo's conversations in less than two minutes on one core.
task: dialogue
preset: tiny
name: demo-dialogue
data:
  train: {file: train.jsonl, columns: {history: history, target: reply}, tags: {service: service}}
  valid: {file: valid.jsonl, columns: {history: history, target: reply}, tags: {service: service}}
  test: {file: test.jsonl, columns: {history: history, target: reply}, tags: {service: service}}
inputs:
  history: {turns: 9}
tokenizers: {joint: {name: bpe, size: 700}}
model:
  width: 96
  encoder: {feed_forward: 256}
  decoder: {feed_forward: 256}
train:
  steps: 700
  batch_elements: 2048
  learning_rate: 0.004
  schedule: {name: cosine, warmup: 100}
evaluate:
  every: 350
  metrics: [exact, bleu, distinct1, distinct2]
  best: exact
  baselines: [frequent, 'frequent:service']
decode: {beam: 1}
"""


class Row(NamedTuple):
    """A line of the data: a conversation so far, what the system then says, and what it is about."""

    history: str
    reply: str
    service: str


def make_demo(request: DemoRequest) -> Demo:
    """Writes the conversations and the job file; no test history occurs in training."""
    folder, rng = Path(request.folder), random.Random(request.seed)  # noqa: S311 - no secret
    about = split(rng)
    learned = [talk(rng, about.known) for _ in range(TRAIN + VALID)]
    train = list(_rows(learned[:TRAIN]))
    known = {row.history for row in train}
    unseen = _rows(talk(rng, about.held_out) for _ in range(TEST))
    test = [row for row in dict.fromkeys(unseen) if row.history not in known]
    for name, rows in {"train": train, "valid": list(_rows(learned[TRAIN:])), "test": test}.items():
        lines = (json.dumps(row._asdict()) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
    job = folder / "job.yaml"
    job.write_text(JOB, encoding="utf-8")
    replies = {row.reply for row in train}
    shown = test[:: max(1, len(test) // SHOWN)][:SHOWN]
    said = shlex.quote(r"Hello.\nI need a table on Friday.\nWe are four.\nAt seven.\nYes.\n")
    return Demo(
        job=str(job),
        name="demo-dialogue",
        facts={
            "conversations": f"{TRAIN:,} for training, {VALID} for validation, {TEST} for the test",
            "replies": f"{len(train):,} to learn from, {len(test)} to test with",
            "test histories that occur in training": str(sum(row.history in known for row in test)),
            "test replies that occur in training": str(sum(row.reply in replies for row in test)),
        },
        unseen=[(row.history, row.reply) for row in shown],
        next=[
            "seqloom chat {model}",
            f"printf {said} | seqloom chat {{model}}",
            "seqloom evaluate {model}",
        ],
    )


def _rows(talks: Iterable[Talk]) -> Iterator[Row]:
    """An example for each of the system's turns."""
    for service, turns in talks:
        for at in range(1, len(turns), 2):
            yield Row(write_turns(turns[:at]), turns[at].text, service)
