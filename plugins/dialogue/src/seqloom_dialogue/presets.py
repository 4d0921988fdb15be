"""Partial job files, and a whole commented one to start from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

EVALUATE: Mapping[str, Any] = {"metrics": ["bleu", "distinct1", "distinct2"], "best": "bleu"}


def _transformer(*, width: int, layers: int, feed_forward: int, pieces: int) -> Mapping[str, Any]:
    half = {
        "name": "transformer",
        "layers": layers,
        "heads": 4,
        "feed_forward": feed_forward,
        "dropout": 0.1,
    }
    return {
        "tokenizers": {"joint": {"name": "bpe", "size": pieces}},
        "model": {"width": width, "encoder": half, "decoder": half},
        "evaluate": EVALUATE,
    }


_LSTM: Mapping[str, Any] = {"name": "rnn", "cell": "lstm", "layers": 1, "hidden": 256, "dropout": 0.3}

PRESETS: Mapping[str, Mapping[str, Any]] = {
    # the model of Bahdanau et al. 2015 (arXiv 1409.0473), with LSTMs
    "lstm": {
        "tokenizers": {"joint": {"name": "bpe", "size": 4_000}},
        "model": {"width": 256, "encoder": _LSTM, "decoder": _LSTM, "attention": "additive"},
        "evaluate": EVALUATE,
    },
    "tiny": _transformer(width=128, layers=2, feed_forward=512, pieces=4_000),
    "small": _transformer(width=256, layers=3, feed_forward=1024, pieces=8_000),
}

JOB = """\
# A partner to talk to. Train it with `seqloom train dialogue.yaml`, talk with `seqloom chat my-partner`;
# `seqloom config show dialogue.yaml` prints every key, its value and where it comes from.
task: dialogue
preset: tiny              # tiny or small: a Transformer; lstm: LSTMs with attention
name: my-partner          # what the model is registered as

data:
  root: .                 # files are relative to this folder; ${NAME} is an environment variable
  # An example is a conversation so far and the system's next turn, as a line of JSON, CSV or TSV:
  #   {"history": "<user> Hello. <system> Hello, what may it be? <user> A coffee.", "reply": "With milk?"}
  train: {file: train.jsonl, columns: {history: history, target: reply}}
  valid: {file: valid.jsonl, columns: {history: history, target: reply}}
  # test: {file: test.jsonl, columns: {history: history, target: reply}}

inputs:
  history:                # how much of a conversation the model sees: its newest turns
    turns: 6              # at most; null for all
    tokens: 128           # at most; the oldest turns go first

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
