"""``seqloom demo translation``: a corpus out of our own grammar, and a job that learns it."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from seqloom.hooks import Demo, DemoRequest
from seqloom.metrics import Bleu
from seqloom_translation.grammar import Pair, corpus

TRAIN, VALID, TEST = 8000, 200, 300

JOB = """\
# Learns the demo's grammar in about two minutes on two cores.
task: translation
name: demo-translation
data:
  train: {source: train.en, target: train.es}
  valid: {source: valid.en, target: valid.es}
  test: {source: test.en, target: test.es}
tokenizers: {joint: {name: bpe, size: 1200}}
model:
  width: 128
  encoder: {name: transformer, layers: 2, heads: 4, feed_forward: 512, dropout: 0.1}
  decoder: {name: transformer, layers: 2, heads: 4, feed_forward: 512, dropout: 0.1}
train:
  steps: 400
  batch_elements: 2048
  learning_rate: 0.003
  schedule: {name: cosine, warmup: 100}
evaluate:
  every: 200
  metrics: [bleu, chrf]
  best: bleu
"""


def make_demo(request: DemoRequest) -> Demo:
    """Writes the corpus and the job file; no target of the test set occurs in training."""
    folder = Path(request.folder)
    pairs = corpus(TRAIN + VALID + TEST, request.seed)
    train, valid, test = pairs[:TRAIN], pairs[TRAIN : TRAIN + VALID], pairs[TRAIN + VALID :]
    for name, split in {"train": train, "valid": valid, "test": test}.items():
        for language, side in (("en", 0), ("es", 1)):
            text = "".join(f"{pair[side]}\n" for pair in split)
            (folder / f"{name}.{language}").write_text(text, encoding="utf-8")
    job = folder / "job.yaml"
    job.write_text(JOB, encoding="utf-8")
    learned = {target for _, target in train}
    sentence, file = test[0][0], shlex.quote(str(folder / "test.en"))
    return Demo(
        job=str(job),
        name="demo-translation",
        facts={
            "pairs": f"{TRAIN:,} for training, {VALID} for validation, {TEST} for the test",
            "test targets that occur in training": str(sum(target in learned for _, target in test)),
            "BLEU of copying the nearest training target": f"{nearest_bleu(train, test):.1f}",
        },
        unseen=test[:5],
        flags={"attention": str(folder / "attention")},
        next=[
            f'seqloom translate {{model}} "{sentence}"',
            "seqloom models show {model}",
            f"seqloom translate {{model}} --input {file} --beam 5 --format jsonl",
        ],
    )


def nearest_bleu(train: Sequence[Pair], test: Sequence[Pair]) -> float:
    """BLEU of answering with the target of the most similar training source (by shared n-grams)."""
    owners: dict[str, list[int]] = {}
    for index, (source, _) in enumerate(train):
        for gram in _grams(source):
            owners.setdefault(gram, []).append(index)
    metric = Bleu(lowercase=False, tokenize="13a")
    counts = []
    for source, reference in test:
        votes = Counter(index for gram in _grams(source) for index in owners.get(gram, ()))
        nearest = max(votes, key=lambda index: (votes[index], -index))
        counts.append(metric.count(train[nearest][1], [reference]))
    return metric.value(counts)


def _grams(sentence: str) -> set[str]:
    words = sentence.split()
    return {*words, *(" ".join(pair) for pair in pairwise(words))}
