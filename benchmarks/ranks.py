"""How near are the losses of several ranks to those of one process?

Usage: python benchmarks/ranks.py JOB [--steps 100] [--ranks 2] [--set KEY=VALUE ...]

Trains the job on the CPU for so many steps, in fp32 and in fp64, by one process and by several, and prints
the largest difference of a step's loss. Dropout is off where its keys are those of the Transformer; another
model's is turned off by --set. In fp32 a sum in another order rounds otherwise, and Adam, which divides by
the gradient's size, lets that grow from step to step; fp64 shows what is left when rounding is not.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

from seqloom.catalog import Catalog
from seqloom.data.manifest import file_sha256
from seqloom.data.splits import split_files
from seqloom.jobfile import load_job
from seqloom.progress import Window
from seqloom.registry.store import Registry
from seqloom.site import Site
from seqloom.storage import write_json
from seqloom.training import ready_training
from seqloom.world import World

STILL = ("model.encoder.dropout=0", "model.decoder.dropout=0", "device=cpu")


def write_run(folder: Path, job: Path, overrides: list[str]) -> None:
    """What a run begins with."""
    loaded = load_job(job, Catalog.from_environment(), [*STILL, *overrides])
    config = loaded.config.model_dump(mode="json")
    config["data"]["root"] = str(loaded.root.absolute())
    files = split_files(loaded.config.data.train, loaded.root)
    write_json(folder / "config.json", {"job": config, "data": {str(f): file_sha256(f) for f in files}})


def train(folder: Path, steps: int, dtype: str) -> None:
    """Makes the steps as one of the ranks; the first leaves their losses in a file."""
    losses = []
    with World.from_environment() as world, Registry() as registry, world.together():
        site = Site(Catalog.from_environment(), registry, folder, world=world)
        if dtype == "fp64":  # the loss, too, which is always computed in fp32
            torch.set_default_dtype(torch.float64)
            torch.Tensor.float = torch.Tensor.double  # type: ignore[method-assign]
        _, trainer = ready_training(folder, site)
        trainer.model.to(torch.get_default_dtype())
        for step in range(steps):
            made = trainer.stepper(trainer._next_batches(), step, trainer._rate(step + 1))
            window = Window()
            window.sums.add(made.sums)
            window.seconds = 1.0
            losses.append((window.close(world) or {})["loss"])
    if world.is_first:
        write_json(folder / "losses.json", losses)


def losses_of(size: int, dtype: str, given: argparse.Namespace) -> list[float]:
    """The losses of each step by so many ranks."""
    with tempfile.TemporaryDirectory() as folder:
        write_run(Path(folder), given.job, given.set)
        torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(size)]
        own = [str(given.job), "--steps", str(given.steps), "--folder", folder, "--dtype", dtype]
        subprocess.run([sys.executable, *torchrun, __file__, *own], check=True)
        losses: list[float] = json.loads((Path(folder) / "losses.json").read_text())
    return losses


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("job", type=Path)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--dtype", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.folder:
        train(given.folder, given.steps, given.dtype)
        return
    print("| dtype | after 1 step | after 10 | after all | last loss |")
    print("| --- | --- | --- | --- | --- |")
    for dtype in ("fp32", "fp64"):
        alone, shared = (losses_of(size, dtype, given) for size in (1, given.ranks))
        gaps = [abs(one - other) for one, other in zip(alone, shared, strict=True)]
        most = " | ".join(f"{max(gaps[:steps]):.1e}" for steps in (1, 10, given.steps))
        print(f"| {dtype} | {most} | {shared[-1]:.4f} |", flush=True)


if __name__ == "__main__":
    main()
