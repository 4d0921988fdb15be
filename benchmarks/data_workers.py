"""How much of a training waits for inputs that are slow to vary, by the number of data workers?

Usage: python benchmarks/data_workers.py [--workers 0 1 2 4] [--slow 5] [--step 100] [--steps 100]

Each example takes ``--slow`` milliseconds to vary and each step ``--step`` milliseconds, in both of which
the processor idles, as it does while a disk or a GPU works: so the figures hold on any number of cores.
Batches have 32 examples. Steps count from when all workers have made a batch.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from seqloom.data.dataset import Dataset
from seqloom.data.features import ListedFeatures, Places
from seqloom.data.loader import Loader
from seqloom.modality import Modality

EXAMPLES, BATCH = 3200, 32


class Slow(Modality):
    """Takes its time, and tells who it is."""

    def __init__(self, seconds: float, folder: str) -> None:
        self.seconds = seconds
        self.folder = folder

    def read(self, raw: str) -> Tensor:
        raise NotImplementedError

    def augment(self, features: Tensor, generator: torch.Generator) -> Tensor:
        (Path(self.folder) / str(os.getpid())).touch()
        time.sleep(self.seconds)
        return features + torch.randn(features.shape, generator=generator)

    def frontend(self, width: int, embedding: Any) -> Any:
        raise NotImplementedError


def waited(workers: int, given: argparse.Namespace) -> tuple[float, float]:
    """Seconds a step, and how many of these went into getting its batch."""
    from data_workers import Slow as Importable  # noqa: PLC0415 - in workers this file is no main program

    with tempfile.TemporaryDirectory() as folder:
        features = {"source": ListedFeatures([torch.ones(100, 40)] * EXAMPLES)}
        modalities = {"source": Importable(given.slow / 1000, folder)}
        dataset = Dataset(features, modalities, Places([0] * EXAMPLES, []), count=EXAMPLES)
        loader = Loader(dataset, 1, workers)
        plan = [(0, list(range(at, at + BATCH))) for at in range(0, EXAMPLES, BATCH)]
        steps = (plan[number % len(plan)] for number in count())
        waiting = 0.0
        with loader.ahead_of(plan[number % len(plan)] for number in count()):

            def step() -> float:
                started = time.perf_counter()
                loader.begin(1)
                loader(*next(steps))
                got = time.perf_counter()
                time.sleep(given.step / 1000)
                return got - started

            while sum(path.name != str(os.getpid()) for path in Path(folder).iterdir()) < workers:
                step()
            started = time.perf_counter()
            for _ in range(given.steps):
                waiting += step()
            return (time.perf_counter() - started) / given.steps, waiting / given.steps


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 1, 2, 4])
    parser.add_argument("--slow", type=float, default=5, help="milliseconds to vary an example")
    parser.add_argument("--step", type=float, default=100, help="milliseconds of a step")
    parser.add_argument("--steps", type=int, default=100)
    given = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parent))
    print(f"{'workers':>8}{'ms a step':>12}{'data wait':>12}")
    for workers in given.workers:
        seconds, wait = waited(workers, given)
        print(f"{workers:>8}{seconds * 1000:>12.0f}{wait / seconds:>12.1%}", flush=True)


if __name__ == "__main__":
    main()
