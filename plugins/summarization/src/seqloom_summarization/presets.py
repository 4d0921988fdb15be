"""Partial job files, and a whole commented one to start from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SHARED: Mapping[str, Any] = {
    # case says nothing to ROUGE, and a title's Words could not be copied from a text's words
    "tokenizers": {"joint": {"name": "bpe", "size": 8000, "normalization": "casefold"}},
    "evaluate": {"metrics": ["rouge1", "rouge2", "rougel"], "best": "rougel", "baselines": ["lead"]},
    "decode": {"beam": 5, "max_length_factor": 0.0, "max_length_offset": 100},  # a text says no length
}


def _transformer(*, width: int, layers: int, heads: int, dropout: float) -> Mapping[str, Any]:
    half = {
        "name": "transformer",
        "layers": layers,
        "heads": heads,
        "feed_forward": 4 * width,
        "dropout": dropout,
    }
    return {**SHARED, "model": {"width": width, "encoder": half, "decoder": half}}


PRESETS: Mapping[str, Mapping[str, Any]] = {
    # See et al. 2017: an LSTM with attention that may copy what it looks at (sections 2.1, 2.2 and 5)
    "lstm": {
        **SHARED,
        "model": {
            "width": 128,
            "encoder": {"name": "rnn", "cell": "lstm", "layers": 1, "hidden": 256},
            "attention": {"name": "additive", "hidden": 256},
            "decoder": {"name": "rnn", "cell": "lstm", "layers": 1, "hidden": 256, "copying": True},
        },
    },
    # Transformers of both sides (Vaswani et al. 2017), which have no way to copy but to learn it
    "tiny": _transformer(width=128, layers=3, heads=4, dropout=0.3),
    "small": _transformer(width=256, layers=3, heads=4, dropout=0.2),
}

JOB = """\
# Summaries of texts. Train it with `seqloom train summarization.yaml`;
# `seqloom config show summarization.yaml` prints every key, its value and where it comes from.
task:
  name: summarization
  piece: 500              # tokens: `seqloom summarize` cuts longer documents and joins the summaries
preset: lstm              # lstm (may copy words of the text), tiny or small (Transformers)
name: my-summaries        # what the model is registered as

data:
  root: .                 # files are relative to this folder; ${NAME} is an environment variable
  # A JSON object a line, as {"text": "The whole text …", "summary": "What it says."}; a list of texts is
  # the paragraphs or sentences of one document, a list of summaries are references of one text.
  train: {file: train.jsonl, columns: {source: text, target: summary}}
  valid: {file: valid.jsonl, columns: {source: text, target: summary}}
  # test: {file: test.jsonl, columns: {source: text, target: summary}}

inputs:
  source:
    name: text
    max_tokens: 500       # of a training text, too; what follows is not read

train:
  steps: 10000            # optimiser steps at most
  batch_elements: 8192    # texts of a batch times the longest of them, in tokens
  learning_rate: 0.001    # the peak; warm-up and decay are train.schedule
  seed: 1

evaluate:
  every: 500              # steps between evaluations on data.valid
  baselines: [lead]       # the first sentence, scored beside the model by `seqloom evaluate`

decode:
  beam: 5
  min_length: 5           # tokens of a summary at least
  max_length_offset: 60   # and at most, its end counted
"""
