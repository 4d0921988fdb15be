"""What contenders that describe pictures share: arguments, pictures, stopwatch."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import torch
from torch import Tensor

HEADS = 4


def arguments() -> argparse.Namespace:
    """Those of benchmarks/captioning.py."""
    parser = argparse.ArgumentParser()
    for name in ("pictures", "batch", "size", "patch", "width", "layers", "vocabulary", "words"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--beam", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--allocator", choices=("keep", "system"), default="system")
    return parser.parse_args()


def time_captions(
    describe: Callable[[Tensor], list[int]], given: argparse.Namespace, parameters: int
) -> None:
    """Describes all pictures once after a first batch, and reports words and pictures a second.

    Args:
        describe: Bytes [B, 3, size, size] to how many words each caption has.
        given: The arguments.
        parameters: How many the model has.

    Raises:
        SystemExit: A caption is of another length than was asked for.
    """
    numbers = torch.Generator().manual_seed(1)
    shape = (given.pictures, 3, given.size, given.size)
    batches = torch.randint(256, shape, dtype=torch.uint8, generator=numbers).split(given.batch)
    describe(batches[0])
    started = time.perf_counter()
    words = [count for batch in batches for count in describe(batch)]
    seconds = time.perf_counter() - started
    if set(words) != {given.words}:
        raise SystemExit(f"captions of {sorted(set(words))} words instead of {given.words}")
    rates = {"tokens_per_second": sum(words) / seconds, "pictures_per_second": len(words) / seconds}
    print(json.dumps({**rates, "parameters": parameters}))
