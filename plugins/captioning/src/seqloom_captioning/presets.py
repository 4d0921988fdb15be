"""Partial job files, and a whole commented one to start from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SHARED: Mapping[str, Any] = {
    "tokenizers": {"target": {"name": "caption", "min_count": 5}},  # Vinyals et al. 2015, section 4.3.1
    "evaluate": {"metrics": ["bleu1", "bleu4", "rouge_l", "cider_d"], "best": "cider_d"},
    "decode": {"beam": 5, "max_length_factor": 0.0, "max_length_offset": 60},  # a grid says no length
}

LSTM: Mapping[str, Any] = {"name": "rnn", "cell": "lstm", "layers": 1, "hidden": 512, "dropout": 0.5}

PRESETS: Mapping[str, Mapping[str, Any]] = {
    # Vinyals et al. 2015: an LSTM that is given the picture once, as what it starts from
    "show-and-tell": {
        **SHARED,
        "model": {
            "width": 512,
            "encoder": {"name": "none"},
            "decoder": LSTM,
            "head": {"name": "sequence", "label_smoothing": 0.0},
        },
    },
    # Xu et al. 2015: an LSTM that looks at parts of the picture, at each of them in the end (section 4.2.1)
    "show-attend-tell": {
        **SHARED,
        "model": {
            "width": 512,
            "encoder": {"name": "none"},
            "attention": {"name": "additive", "hidden": 512},
            "decoder": {**LSTM, "input_feeding": True},
            "head": {"name": "sequence", "label_smoothing": 0.0, "coverage": 1.0},
        },
    },
    # a Transformer of both sides over the same grid (Vaswani et al. 2017)
    "transformer": {
        **SHARED,
        "model": {
            "width": 256,
            "encoder": {
                "name": "transformer",
                "layers": 2,
                "heads": 4,
                "feed_forward": 1024,
                "dropout": 0.2,
            },
            "decoder": {
                "name": "transformer",
                "layers": 3,
                "heads": 4,
                "feed_forward": 1024,
                "dropout": 0.2,
            },
        },
    },
}

JOB = """\
# Captions for pictures. Train it with `seqloom train captioning.yaml`;
# `seqloom config show captioning.yaml` prints every key, its value and where it comes from.
task: captioning
preset: show-attend-tell  # show-and-tell, show-attend-tell or transformer
name: my-captions         # what the model is registered as

data:
  root: .                 # files are relative to this folder; ${NAME} is an environment variable
  # A JSON object a line, as {"image": "photos/1.jpg", "captions": ["A dog runs.", "A brown dog runs."]} ...
  train: {file: train.jsonl, columns: {image: image, target: captions}}
  valid: {file: valid.jsonl, columns: {image: image, target: captions}}
  # ... or tar archives with 1.jpg, 1.txt, 2.jpg, 2.txt and so on:
  # train: {file: "train-*.tar", columns: {image: jpg, target: txt}}
  workers: 1              # processes that vary pictures ahead of the steps

inputs:
  image:
    name: image
    size: 128             # pixels of a side
    augment: {crop: 0.6, flip: true}   # no flip where captions say left and right
    frontend: {name: cnn}              # or torchvision, with a backbone and its weights

train:
  steps: 10000            # optimiser steps at most
  batch_elements: 2048    # pictures of a batch times the longest caption
  learning_rate: 0.001    # the peak; warm-up and decay are train.schedule
  seed: 1

evaluate:
  every: 1000             # steps between evaluations on data.valid

decode:
  beam: 5
"""
