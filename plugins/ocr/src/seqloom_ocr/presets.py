"""Partial job files, and a whole commented one to start from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def _lines(channels: Sequence[int], width: int, model: Mapping[str, Any]) -> Mapping[str, Any]:
    """What all presets have in common: convolutions over columns, recurrent layers, characters."""
    frontend = {"name": "lines", "channels": list(channels), "subsampling": 4}
    augment = {"shear": 4, "stretch": 0.1, "contrast": 0.3, "blur": 0.7, "noise": 0.04}
    encoder = {"name": "rnn", "cell": "lstm", "layers": 2, "hidden": width, "dropout": 0.3}
    return {
        "inputs": {"image": {"name": "image", "size": 32, "frontend": frontend, "augment": augment}},
        "tokenizers": {"target": {"name": "char"}},
        "model": {"width": width, "encoder": encoder, **model},
        "train": {"batch_elements": 6000, "learning_rate": 0.001},
        "evaluate": {"metrics": ["cer", "exact"], "best": "cer"},
        "decode": {"length_penalty": 0.0, "max_length_factor": 1.0},
    }


def _with_decoder(layers: int, heads: int, feed_forward: int) -> Mapping[str, Any]:
    """A decoder that shares its encoder with CTC (Kim et al. 2017; Watanabe et al. 2017)."""
    decoder = {"name": "transformer", "layers": layers, "heads": heads, "feed_forward": feed_forward}
    return {"decoder": decoder, "head": {"name": "sequence", "ctc": 0.5}}


PRESETS: Mapping[str, Mapping[str, Any]] = {
    "tiny": _lines((16, 32, 64, 96), 128, _with_decoder(2, 4, 512)),
    "base": _lines((32, 64, 128, 192), 256, _with_decoder(4, 4, 1024)),
    # as Shi et al. 2017, table 1: convolutions, two recurrent layers, CTC; smaller
    "ctc": _lines((32, 64, 96, 128), 192, {"decoder": None, "head": {"name": "ctc"}}),
}

JOB = """\
# A reader of text lines. Train it with `seqloom train ocr.yaml`;
# `seqloom config show ocr.yaml` prints every key, its value and where it comes from.
task: ocr
preset: ctc               # ctc: fast, letters in order; tiny or base: with a decoder beside it
name: my-reader           # what the model is registered as

data:
  root: .                 # files are relative to this folder; ${NAME} is an environment variable
  # a table with each line's picture (a path) and text: .jsonl, .tsv, .csv or .parquet
  train: {file: train.jsonl, columns: {image: image, target: text}}
  valid: {file: valid.jsonl, columns: {image: image, target: text}}

inputs:
  image:
    size: 32              # pixels that each line is scaled to in height

train:
  steps: 10000            # optimiser steps at most
  batch_elements: 6000    # columns of pixels in a batch, padding counted
  seed: 1

evaluate:
  every: 500              # steps between evaluations on data.valid
"""
