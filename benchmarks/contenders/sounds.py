"""What contenders that recognise speech share: arguments, features, stopwatch."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import torch
from torch import Tensor

HEADS = 4
BINS = 80
FRAMES_PER_SECOND = 100
SHORTEST = 0.6
"""The shortest utterance, as a share of the longest."""


def arguments() -> argparse.Namespace:
    """Those of benchmarks/speech.py."""
    parser = argparse.ArgumentParser()
    for name in (
        "utterances",
        "batch",
        "width",
        "encoder_layers",
        "decoder_layers",
        "vocabulary",
        "tokens",
    ):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--beam", type=int, required=True)
    parser.add_argument("--ctc", type=float, default=0.0)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--allocator", choices=("keep", "system"), default="system")
    return parser.parse_args()


def time_recognition(
    recognize: Callable[[Tensor, Tensor], list[int]], given: argparse.Namespace, parameters: int
) -> None:
    """Recognises all utterances once after a first batch, and reports seconds of sound a second.

    Args:
        recognize: Features [B, T, BINS] and lengths [B] to how many tokens each output has.
        given: The arguments.
        parameters: How many the model has.

    Raises:
        SystemExit: An output is of another length than was asked for.
    """
    numbers = torch.Generator().manual_seed(1)
    longest = round(given.seconds * FRAMES_PER_SECOND)
    lengths = torch.randint(round(SHORTEST * longest), longest + 1, (given.utterances,), generator=numbers)
    batches = []
    for of_batch in lengths.split(given.batch):
        features = torch.randn(len(of_batch), int(of_batch.max()), BINS, generator=numbers)
        real = torch.arange(features.shape[1]) < of_batch[:, None]
        batches.append((features * real[..., None], of_batch))
    recognize(*batches[0])
    started = time.perf_counter()
    tokens = [count for batch in batches for count in recognize(*batch)]
    seconds = time.perf_counter() - started
    if set(tokens) != {given.tokens}:
        raise SystemExit(f"outputs of {sorted(set(tokens))} tokens instead of {given.tokens}")
    sound = float(lengths.sum()) / FRAMES_PER_SECOND
    rates = {"sound_per_second": sound / seconds, "tokens_per_second": sum(tokens) / seconds}
    print(json.dumps({**rates, "parameters": parameters}))
