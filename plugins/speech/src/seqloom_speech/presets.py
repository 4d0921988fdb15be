"""Partial job files, and a whole commented one to start from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Partial = Mapping[str, Any]

WITH_CTC = {"name": "sequence", "ctc": 0.3, "label_smoothing": 0.1}
"""A decoder that shares its encoder with CTC (Kim et al. 2017; Watanabe et al. 2017)."""

VARIED = {
    "speeds": [0.9, 1.0, 1.1],
    "time_masks": 2,
    "time_mask_ms": 400,
    "frequency_masks": 2,
    "frequency_mask_bins": 27,
}
"""Three speeds (Ko et al. 2015), and masks (Park et al. 2019) that are shorter, for short utterances."""


def _recogniser(channels: int, model: Partial, subsampling: int = 4) -> Partial:
    """What all presets have in common: log-mel, characters, variation; a quarter of its frames is left."""
    frontend = {"name": "convolution", "channels": channels, "subsampling": subsampling}
    return {
        "inputs": {"speech": {"name": "audio", "frontend": frontend, "augment": VARIED}},
        "tokenizers": {"target": {"name": "char"}},
        "model": model,
        "data": {"workers": 1},
        "train": {
            "batch_elements": 8000,
            "learning_rate": 0.002,
            "schedule": {"name": "inverse_sqrt", "warmup": 1000},
            "optimizer": {"weight_decay": 0.01},
        },
        "evaluate": {"metrics": ["wer", "cer"], "best": "wer"},
        "decode": {"beam": 10, "length_penalty": 0.0, "max_length_factor": 1.0},
    }


def _conformer(width: int, layers: int, head: Partial) -> Partial:
    """Gulati et al. 2020; with a decoder as in Guo et al. 2021."""
    encoder = {"name": "conformer", "layers": layers, "heads": 4, "feed_forward": 4 * width, "kernel": 15}
    decoder = _decoder(width) if head["name"] == "sequence" else None
    return {"width": width, "encoder": encoder, "head": head, "decoder": decoder}


def _transformer(width: int, layers: int) -> Partial:
    """Dong et al. 2018; Karita et al. 2019."""
    encoder = {"name": "transformer", "layers": layers, "heads": 4, "feed_forward": 4 * width}
    return {"width": width, "encoder": encoder, "head": WITH_CTC, "decoder": _decoder(width)}


def _decoder(width: int) -> Partial:
    return {"name": "transformer", "layers": 2, "heads": 4, "feed_forward": 4 * width}


def _las(width: int) -> Partial:
    """Chan et al. 2016: a pyramid of recurrent layers; the attention of Chorowski et al. 2015.

    Its pyramid is lower than theirs: CTC needs a position for each character.
    """
    return {
        "width": width,
        "encoder": {"name": "rnn", "cell": "lstm", "layers": 3, "hidden": width, "pyramid": 1},
        "attention": {"name": "location", "hidden": width},
        "decoder": {"name": "rnn", "cell": "lstm", "layers": 1, "hidden": width},
        "head": WITH_CTC,
    }


PRESETS: Mapping[str, Partial] = {
    "tiny": _recogniser(16, _conformer(96, 4, WITH_CTC)),
    "conformer": _recogniser(32, _conformer(144, 8, WITH_CTC)),
    "transformer": _recogniser(32, _transformer(192, 8)),
    "las": _recogniser(32, _las(256), subsampling=2),
    "ctc": _recogniser(32, _conformer(144, 8, {"name": "ctc"})),
}

JOB = """\
# A recogniser of speech. Train it with `seqloom train speech.yaml`;
# `seqloom config show speech.yaml` prints every key, its value and where it comes from.
task:
  name: speech
  normalization: none     # basic-1: lower case, no punctuation; english-1: that, and numbers in words
preset: conformer         # tiny, conformer, transformer or las: with a decoder; ctc: without, fastest
name: my-recogniser       # what the model is registered as

data:
  root: .                 # files are relative to this folder; ${NAME} is an environment variable
  # a table with each recording (a path) and what is said in it: .tsv, .jsonl, .csv or .parquet;
  # or a folder of Kaldi's: {file: data/train, columns: {speech: [wav, start, end], target: text}};
  # with speakers in a column, tags: {speaker: COLUMN} beside columns, and evaluate.by: speaker
  train: {file: train.tsv, columns: {speech: path, target: transcript}}
  valid: {file: valid.tsv, columns: {speech: path, target: transcript}}

inputs:
  speech:
    rate_hz: 16000        # samples a second that every recording is brought to

tokenizers:
  target: char            # or {name: unigram, size: 500}; word for phones, or words, between blanks

train:
  steps: 10000            # optimiser steps at most
  batch_elements: 8000    # frames of 10 ms in a batch, padding counted
  seed: 1

evaluate:
  every: 500              # steps between evaluations on data.valid
"""
