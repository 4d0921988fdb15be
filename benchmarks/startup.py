"""How long does a command take before it does anything, and how much memory? Seqloom's and its peers'.

Usage: python benchmarks/startup.py [--rounds 7]

Runs each command in turn, several times over, and prints the median of its seconds with the least and the
most, the seconds that its threads computed, its peak memory (resident MiB), and its ratio to
``python -c pass`` in the same sitting. Peers have environments of their own, made by benchmarks/peers.py.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from contest import Column, Contender, add_options, hold, show
from peers import python_of

SEQLOOM = ["-c", "from seqloom.cli.main import main; main()"]
OURS = {
    "python -c pass": ["-c", "pass"],
    "import seqloom": ["-c", "import seqloom"],
    "seqloom --help": [*SEQLOOM, "--help"],
    "seqloom plugins list": [*SEQLOOM, "plugins", "list"],
    "import torch": ["-c", "import torch"],
}
PEERS = {
    "import ctranslate2": ("ctranslate2", ["-c", "import ctranslate2"]),
    "import MarianMTModel": ("transformers", ["-c", "from transformers import MarianMTModel"]),
    "joeynmt --help": ("joeynmt", ["-m", "joeynmt", "--help"]),
    "eole --help": ("eole", ["-c", "from eole.bin.main import main; main()", "--help"]),
}
COLUMNS = [
    Column("seconds", "seconds", decimals=3, detailed=True),
    Column("cpu", "cpu s", decimals=3),
    Column("peak", "peak MiB"),
]


def field() -> list[Contender]:
    """All commands."""
    commands = [Contender(name, [sys.executable, *arguments]) for name, arguments in OURS.items()]
    for name, (peer, arguments) in PEERS.items():
        python: Path | None = python_of(peer)
        commands.append(Contender(name, python and [str(python), *arguments]))
    return commands


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    add_options(parser, rounds=7)
    given = parser.parse_args()
    given.rounds += 1  # the first warms the disk's cache
    found = hold(field(), given)
    for records, _ in found.values():
        del records[:1]
    show(found, COLUMNS, base="python -c pass")


if __name__ == "__main__":
    main()
