"""What does the framework cost in training? Seqloom beside a plain PyTorch loop, on the same batches.

Usage: python benchmarks/training.py JOB [--seconds 20] [--rounds 3] [--dtype fp32] [--threads 2]

The job names a Transformer; the plain loop has one of the same shape (benchmarks/plain.py), its batches
made beforehand. Each round runs each contender in a process of its own, in turn, on the batches of the
job's first epoch: a few steps to warm up, then so many seconds. Printed are the medians, with the least
and the most, of target tokens a second (EOS counted, padding not) and of peak memory, and the ratio to
the plain loop with the system's allocator.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

WARM_UP_STEPS = 3
ARMS = {  # contender: whose loop, which allocator
    "plain": ("plain", "system"),
    "plain, freed memory kept": ("plain", "keep"),
    "seqloom, system": ("seqloom", "system"),
    "seqloom": ("seqloom", "keep"),
}


class Parts(NamedTuple):
    """What a job's names became, with its training examples in memory."""

    config: Any
    builder: Any
    kit: Any
    dataset: Any


def prepare(job: Path, overrides: list[str]) -> Parts:
    """Fits tokenizers and reads the training examples."""
    from seqloom.build import Builder  # noqa: PLC0415 - the parent needs no torch
    from seqloom.catalog import Catalog  # noqa: PLC0415
    from seqloom.data.dataset import Dataset  # noqa: PLC0415
    from seqloom.data.manifest import Examples, read_examples  # noqa: PLC0415
    from seqloom.jobfile import load_job  # noqa: PLC0415

    catalog = Catalog.from_environment()
    loaded = load_job(job, catalog, overrides)
    builder = Builder(loaded.config, catalog)
    split, slots = loaded.config.data.train, builder.slots()
    kit = builder.kit(builder.fit_tokenizers(Examples(split, loaded.root, slots)))
    examples = read_examples(split, loaded.root, slots)
    return Parts(loaded.config, builder, kit, Dataset.load(examples, kit.modalities, kit.task.read_target))


def plain_steps(parts: Parts, plan: list[list[int]], device: Any) -> Callable[[int], object]:
    """Steps of the plain loop."""
    import torch  # noqa: PLC0415
    from plain import PlainLoop, PlainTransformer, Shape  # noqa: PLC0415

    config, vocabulary = parts.config, parts.kit.tokenizer("target").vocabulary
    half = config.model.encoder.options
    shape = Shape(
        vocabulary=vocabulary.size,
        width=config.model.width,
        layers=half["layers"],
        heads=half["heads"],
        feed_forward=half["feed_forward"],
        dropout=half["dropout"],
    )
    batches = []
    for ids in plan:
        batch = parts.dataset.collate(ids, seed=0, epoch=0, augment=False)
        target = batch.target.values
        read = target.roll(1, dims=1)
        read[:, 0] = vocabulary.bos
        batches.append((batch.inputs["source"].values, read, target))
    model = PlainTransformer(shape, vocabulary.pad).train()
    bf16 = device.dtype == torch.bfloat16
    loop = PlainLoop(model, config.train.learning_rate, config.train.schedule.warmup, bf16)
    return lambda number: loop.step(*batches[number % len(batches)])


def seqloom_steps(parts: Parts, plan: list[list[int]], device: Any) -> Callable[[int], object]:
    """Steps of Seqloom's trainer."""
    from seqloom.data.loader import Loader  # noqa: PLC0415
    from seqloom.optim import learning_rate, make_optimizer  # noqa: PLC0415
    from seqloom.step import MicroBatch, Stepper  # noqa: PLC0415

    train = parts.config.train
    model = parts.builder.model(parts.kit)
    optimizer = make_optimizer(model, train, fused=False)
    stepper = Stepper(model, Loader(parts.dataset, train.seed), optimizer, train, device)

    def step(number: int) -> object:
        batch = MicroBatch(0, plan[number % len(plan)])
        return stepper([batch], number, learning_rate(number + 1, train))

    return step


def measure(whose: str, allocator: Any, given: argparse.Namespace) -> dict[str, float]:
    """Target tokens a second and peak memory (MiB) of one contender, in this process."""
    import torch  # noqa: PLC0415

    from seqloom.allocator import peak_memory_bytes, tuned  # noqa: PLC0415
    from seqloom.data.batching import epoch_batches  # noqa: PLC0415
    from seqloom.device import choose_device  # noqa: PLC0415

    torch.set_num_threads(given.threads)
    device = tuned(choose_device("cpu", given.dtype), allocator)
    parts = prepare(given.job, given.overrides)
    train = parts.config.train
    plan = list(epoch_batches(parts.dataset.lengths, train.batch_elements, train.seed, 0))
    tokens = [
        int(parts.dataset.collate(ids, seed=0, epoch=0, augment=False).target.lengths.sum()) for ids in plan
    ]
    torch.manual_seed(train.seed)
    step = (plain_steps if whose == "plain" else seqloom_steps)(parts, plan, device)
    for number in range(WARM_UP_STEPS):
        step(number)
    number, trained, started = WARM_UP_STEPS, 0, time.perf_counter()
    while time.perf_counter() - started < given.seconds:
        step(number)
        trained += tokens[number % len(plan)]
        number += 1
    seconds = time.perf_counter() - started
    return {"tokens/s": trained / seconds, "peak MiB": peak_memory_bytes(device) / 2**20}


def report(found: dict[str, list[dict[str, float]]]) -> None:
    """Prints the table."""
    base = statistics.median(record["tokens/s"] for record in found["plain"])
    print(f"{'contender':26}{'tokens/s':>10}{'min':>8}{'max':>8}{'ratio':>8}{'peak MiB':>10}")
    for arm, records in found.items():
        rates = [record["tokens/s"] for record in records]
        peak = statistics.median(record["peak MiB"] for record in records)
        middle = statistics.median(rates)
        print(
            f"{arm:26}{middle:10,.0f}{min(rates):8,.0f}{max(rates):8,.0f}{middle / base:8.2f}{peak:10,.0f}"
        )


def main() -> None:
    """Runs all contenders in turn, or one of them in this process."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("job", type=Path)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dtype", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--set", dest="overrides", action="append", default=[])
    parser.add_argument("--only", choices=ARMS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only:
        print(json.dumps(measure(*ARMS[given.only], given)))
        return
    found: dict[str, list[dict[str, float]]] = {arm: [] for arm in ARMS}
    for _ in range(given.rounds):
        for arm in ARMS:
            command = [sys.executable, *sys.argv, "--only", arm]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            found[arm].append(json.loads(done.stdout.splitlines()[-1]))
    report(found)


if __name__ == "__main__":
    main()
