"""Partial job files, and a whole commented one to start from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def _transformer(
    *, width: int, layers: int, heads: int, feed_forward: int, dropout: float, pieces: int
) -> Mapping[str, Any]:
    half = {
        "name": "transformer",
        "layers": layers,
        "heads": heads,
        "feed_forward": feed_forward,
        "dropout": dropout,
    }
    return {
        "tokenizers": {"joint": {"name": "bpe", "size": pieces}},
        "model": {"width": width, "encoder": half, "decoder": half},
        "evaluate": {"metrics": ["bleu", "chrf"], "best": "bleu"},
    }


PRESETS: Mapping[str, Mapping[str, Any]] = {
    # Wu et al. 2021 (arXiv 2105.14462): Transformer-Tiny for Multi30k
    "tiny": _transformer(width=128, layers=4, heads=4, feed_forward=256, dropout=0.3, pieces=10_000),
    # half of `base` in depth and width
    "small": _transformer(width=256, layers=3, heads=4, feed_forward=1024, dropout=0.1, pieces=8_000),
    # Vaswani et al. 2017, table 3
    "base": _transformer(width=512, layers=6, heads=8, feed_forward=2048, dropout=0.1, pieces=32_000),
}

JOB = """\
# A translator. Train it with `seqloom train translation.yaml`;
# `seqloom config show translation.yaml` prints every key, its value and where it comes from.
task: translation
preset: tiny              # tiny, small or base: a Transformer with joint byte-pair encoding
name: my-translator       # what the model is registered as

data:
  root: .                 # files are relative to this folder; ${NAME} is an environment variable
  # A text file for each side, with a sentence a line (plain or .gz) ...
  train: {source: train.en, target: train.de}
  valid: {source: valid.en, target: valid.de}
  # ... or the columns of a .tsv, .csv or .jsonl file:
  # test: {file: test.tsv, columns: {source: 0, target: 1}}

train:
  steps: 8000             # optimiser steps at most
  batch_elements: 4096    # positions of a batch, padding counted
  learning_rate: 0.002    # the peak; warm-up and decay are train.schedule
  seed: 1

evaluate:
  every: 500              # steps between evaluations on data.valid

decode:
  beam: 5
"""
