"""How many pictures a second are read and varied, beside a plain pipeline of torchvision and DataLoader?

Usage: python benchmarks/pictures.py [--pictures 1000] [--columns 640] [--rows 480] [--size 128]
                                     [--workers 2] [--batch 32] [--rounds 3]

The pictures are JPEGs of our own making. Both crop at random, mirror, and vary brightness, contrast and
saturation, with the same strengths, and hand batches of bytes to one process. The plain pipeline decodes
each picture anew in each pass. Seqloom reads each once, as it prepares a training, in as many threads as
there are cores, and varies what it kept: so its first pass is the preparation and a pass. Workers are up
before a pass is timed. Passes of both alternate; each figure is the median of its rounds.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from seqloom.data.cache import Cache, Source
from seqloom.data.features import FeatureReader
from seqloom.data.loader import Loader
from seqloom.data.manifest import Located
from seqloom.task import Example
from seqloom_vision.build import build
from seqloom_vision.options import ImageOptions

CROP, CHANGE = 0.5, 0.2
COLOURS = ("brightness", "contrast", "saturation")


def make_pictures(folder: Path, given: argparse.Namespace) -> list[Path]:
    """JPEGs of smooth colours under some noise, as photographs are to a decoder."""
    numbers = np.random.default_rng(1)
    files = []
    for number in range(given.pictures):
        colours = Image.fromarray(numbers.integers(0, 256, (12, 16, 3), dtype=np.uint8))
        smooth = np.asarray(colours.resize((given.columns, given.rows), Image.Resampling.BICUBIC), np.int16)
        noisy = smooth + numbers.integers(-12, 13, smooth.shape, dtype=np.int16)
        files.append(folder / f"{number}.jpg")
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(files[-1], quality=90)
    return files


class Plain(Dataset[torch.Tensor]):
    """What a plain script does: opens a file, decodes it, varies it."""

    def __init__(self, files: list[Path], size: int) -> None:
        self.files = files
        self.vary = v2.Compose(
            [
                v2.RandomResizedCrop(size, scale=(CROP, 1.0)),
                v2.RandomHorizontalFlip(),
                v2.ColorJitter(CHANGE, CHANGE, CHANGE),
                v2.PILToTensor(),
            ]
        )

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> torch.Tensor:
        with Image.open(self.files[index]) as picture:
            varied: torch.Tensor = self.vary(picture.convert("RGB"))
        return varied


def plain_passes(files: list[Path], given: argparse.Namespace) -> Iterator[float]:
    """Seconds of each pass."""
    loader = DataLoader(
        Plain(files, given.size),
        given.batch,
        shuffle=True,
        num_workers=given.workers,
        persistent_workers=True,
    )
    for _ in loader:  # starts the workers
        pass
    while True:
        started = time.perf_counter()
        for batch in loader:
            assert batch.dtype == torch.uint8
        yield time.perf_counter() - started


def our_passes(files: list[Path], folder: Path, given: argparse.Namespace) -> Iterator[float]:
    """Seconds to prepare, then of each pass."""
    options: dict[str, Any] = {"crop": CROP, "flip": True, **dict.fromkeys(COLOURS, CHANGE)}
    modalities = {"image": build(ImageOptions.model_validate({"size": given.size, "augment": options}))}
    places: dict[str, Path] = {}
    examples = [Located(Example(i, {"image": str(file)}, None, []), places) for i, file in enumerate(files)]
    source = Source(
        {"benchmark": True}, lambda _: examples, FeatureReader(modalities, None, from_files={"image"}), {}
    )
    started = time.perf_counter()
    dataset = Cache(folder).dataset(source, modalities)
    yield time.perf_counter() - started

    def plan() -> Iterator[tuple[int, list[int]]]:
        for epoch in count():
            order = random.Random(epoch).sample(range(len(files)), len(files))
            yield from ((epoch, order[at : at + given.batch]) for at in range(0, len(order), given.batch))

    batches, loader, coming = -(-len(files) // given.batch), Loader(dataset, 1, given.workers), plan()

    def one_pass() -> float:
        started = time.perf_counter()
        for _ in range(batches):
            loader.begin(1)
            assert loader(*next(coming)).inputs["image"].values.dtype == torch.uint8
        return time.perf_counter() - started

    with loader.ahead_of(plan()):
        one_pass()  # starts the workers
        while True:
            yield one_pass()


def measured(given: argparse.Namespace, folder: Path) -> tuple[float, list[float], list[float]]:
    """Seconds to prepare, of our passes, and of the plain ones."""
    files = make_pictures(folder, given)
    ours, plain = our_passes(files, folder / "cache", given), plain_passes(files, given)
    prepared = next(ours)
    rounds = [(next(ours), next(plain)) for _ in range(given.rounds)]
    return prepared, [one for one, _ in rounds], [other for _, other in rounds]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    for name, value in (("pictures", 1000), ("columns", 640), ("rows", 480), ("size", 128)):
        parser.add_argument(f"--{name}", type=int, default=value)
    for name, value in (("workers", 2), ("batch", 32), ("rounds", 3)):
        parser.add_argument(f"--{name}", type=int, default=value)
    given = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        prepared, ours, plain = measured(given, Path(folder))
    print(f"{given.columns} × {given.rows} JPEGs to {given.size} pixels, {given.workers} workers")
    print(f"{'pictures a second':<40}{'median':>10}{'lowest':>10}{'highest':>10}")
    rows = {
        "Seqloom, first pass": [prepared + seconds for seconds in ours],
        "Seqloom, later passes": ours,
        "torchvision and DataLoader, each pass": plain,
    }
    for name, seconds in rows.items():
        rates = [given.pictures / one for one in seconds]
        print(f"{name:<40}{statistics.median(rates):>10.0f}{min(rates):>10.0f}{max(rates):>10.0f}")


if __name__ == "__main__":
    main()
