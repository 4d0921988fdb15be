"""How long does a command take before it does anything?

Usage: python benchmarks/startup.py [--runs 7]

Runs each command in turn, several times over, and prints the median with the least and the most, and
its ratio to ``python -c pass`` in the same sitting.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

SEQLOOM = ["-c", "from seqloom.cli.main import main; main()"]
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "import seqloom": ["-c", "import seqloom"],
    "seqloom --help": [*SEQLOOM, "--help"],
    "seqloom plugins list": [*SEQLOOM, "plugins", "list"],
    "import torch": ["-c", "import torch"],
}


def seconds(arguments: list[str]) -> float:
    """Wall time of one run of this Python."""
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - started


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for number in range(runs + 1):
        for name, arguments in COMMANDS.items():
            taken = seconds(arguments)
            if number:  # the first round warms the disk's cache
                times[name].append(taken)
    base = statistics.median(times["python -c pass"])
    print(f"{'command':24}{'median s':>10}{'min':>8}{'max':>8}{'ratio':>8}")
    for name, found in times.items():
        middle = statistics.median(found)
        print(f"{name:24}{middle:10.3f}{min(found):8.3f}{max(found):8.3f}{middle / base:8.1f}")


if __name__ == "__main__":
    main()
