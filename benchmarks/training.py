"""How fast does a model train? Seqloom beside a plain PyTorch loop, transformers, JoeyNMT and Eole.

Usage: python benchmarks/training.py JOB [--seconds 20] [--rounds 3] [--dtype fp32] [--threads 2]

The job names a Transformer; each contender has one of the same shape (the
plain loop's is benchmarks/contenders/plain.py), the same number of tokens a batch and the same optimiser.
Seqloom, the plain loop and transformers train on the batches of the job's first epoch, JoeyNMT and Eole on
the same examples in batches of their own. Each contender runs twice: with memory as the system hands it
out, and with glibc told to keep what is freed, which Seqloom does by itself. Each round runs each contender
in a process of its own, in turn: a few steps to warm up, then so many seconds.

Printed are the medians, with the least and the most, of target tokens a second (EOS counted, padding not),
of peak memory (resident MiB of the whole process), and the ratio to the plain loop with the system's
allocator. Peers have environments of their own: benchmarks/peers.py makes them.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from contest import CONTENDERS, Column, Contender, add_options, hold, show, with_and_without
from peers import WORKSPACE

NAMES = {
    "plain": "plain",
    "seqloom": "seqloom",
    "transformers": "transformers",
    "joeynmt": "JoeyNMT",
    "eole": "Eole",
}
COLUMNS = [Column("tokens_per_second", "tokens/s", detailed=True), Column("peak", "peak MiB")]


def field(folder: Path, given: argparse.Namespace) -> list[Contender]:
    """All contenders."""
    arguments = ["train", str(folder), f"--seconds={given.seconds}", f"--threads={given.threads}"]
    arguments.append(f"--dtype={given.dtype}")
    return [each for peer, name in NAMES.items() for each in with_and_without(name, peer, *arguments)]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("job", type=Path)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--dtype", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--set", dest="overrides", metavar="KEY=VALUE", action="append", default=[])
    add_options(parser, rounds=3)
    given = parser.parse_args()
    folder = WORKSPACE / "training"
    shutil.rmtree(folder, ignore_errors=True)
    overrides = [f"--set={override}" for override in given.overrides]
    material = [sys.executable, str(CONTENDERS / "material.py"), str(given.job), str(folder), *overrides]
    subprocess.run(material, check=True)
    show(hold(field(folder, given), given), COLUMNS, base="plain")


if __name__ == "__main__":
    main()
