"""How many pictures a second does a network of torchvision's see as a front end, beside itself?

Usage: python benchmarks/backbone.py [--name resnet18] [--size 224] [--batch 16] [--threads 2]
                                     [--rounds 5] [--seconds 3]

Both are in evaluation mode, get the same pictures as bytes, and bring them to the network's scale first.
torchvision's classifies them; the front end projects its grid to the width of a model. All take turns;
each figure is the median of its rounds.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from contextlib import nullcontext

import torch
from torch import Tensor, nn
from torchvision.models import get_model

from seqloom.batch import Padded
from seqloom_vision.frontends.backbone import Backbone
from seqloom_vision.frontends.grid import GridFrontend

WIDTH = 256


def plain(model: nn.Module, pictures: Tensor, memory_format: torch.memory_format) -> Callable[[], Tensor]:
    """The network itself, in a plain script."""
    mean = torch.tensor(Backbone.mean)[:, None, None]
    deviation = torch.tensor(Backbone.deviation)[:, None, None]
    model = model.to(memory_format=memory_format)

    def run() -> Tensor:
        scaled = (pictures / 255 - mean) / deviation
        seen: Tensor = model(scaled.contiguous(memory_format=memory_format))
        return seen

    return run


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--name", default="resnet18")
    for name, value in (("size", 224), ("batch", 16), ("threads", 2), ("rounds", 5), ("seconds", 3)):
        parser.add_argument(f"--{name}", type=int, default=value)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    pictures = torch.randint(256, (given.batch, 3, given.size, given.size), dtype=torch.uint8)
    features = Padded(pictures[:, None], torch.ones(given.batch, dtype=torch.int64))
    frontend = GridFrontend(Backbone(given.name, given.size), WIDTH).eval()
    theirs = [get_model(given.name).eval() for _ in range(2)]
    ways = {
        "torchvision": plain(theirs[0], pictures, torch.contiguous_format),
        "torchvision, channels last": plain(theirs[1], pictures, torch.channels_last),
        "Seqloom": lambda: frontend(features).values,
    }
    rates: dict[str, list[float]] = {}
    with torch.inference_mode():
        for _ in range(given.rounds):
            for dtype in ("fp32", "bf16"):
                for name, run in ways.items():
                    with torch.autocast("cpu", torch.bfloat16) if dtype == "bf16" else nullcontext():
                        rate = given.batch * runs_a_second(run, given.seconds)
                    rates.setdefault(f"{name}, {dtype}", []).append(rate)
    side, threads = given.size, given.threads
    print(f"{given.name}, {side} by {side} pixels, batches of {given.batch}, {threads} threads")
    print(f"{'pictures a second':<40}{'median':>10}{'lowest':>10}{'highest':>10}")
    for name, found in rates.items():
        print(f"{name:<40}{statistics.median(found):>10.1f}{min(found):>10.1f}{max(found):>10.1f}")


def runs_a_second(run: Callable[[], Tensor], seconds: float) -> float:
    """How often something is done."""
    run()
    started, count = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        run()
        count += 1
    return count / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
