"""What does it bring to keep freed memory, and what does it cost?

Usage: python benchmarks/allocator.py JOB [--steps 60] [--rounds 3] [--set KEY=VALUE ...]

Trains the same job with ``allocator: keep`` and ``allocator: system`` in turn, each time in a process of
its own, and prints the medians with the least and the most of targets a second (over the second half of
the steps) and of peak memory.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

SEQLOOM = [sys.executable, "-c", "from seqloom.cli.main import main; main()"]
ARMS = ("keep", "system")
COLUMNS = {"targets/s": ("targets_per_second", 1.0), "peak MiB": ("peak_memory_bytes", 2.0**20)}


def train(job: Path, arm: str, steps: int, overrides: list[str]) -> dict[str, float]:
    """The last line of the log of a training that is judged once, by its loss alone."""
    own = [f"allocator={arm}", "device=cpu", f"train.steps={steps}", f"train.log_every={steps // 2}"]
    own += [f"evaluate.every={steps}", "evaluate.metrics=[]", "evaluate.best=ppl"]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [*SEQLOOM, "--registry", "sqlite:///registry.db", "train", str(job.absolute())]
            + [f"--set={override}" for override in overrides + own],
            check=True,
            capture_output=True,
            cwd=folder,
        )
        (log,) = Path(folder).glob("runs/*/metrics.jsonl")
        records: list[dict[str, float]] = [json.loads(line) for line in log.read_text().splitlines()]
    return [record for record in records if "targets_per_second" in record][-1]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("job", type=Path)
    parser.add_argument("--steps", type=int, default=60, help="an even number")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--set", dest="overrides", action="append", default=[])
    given = parser.parse_args()
    found: dict[str, list[dict[str, float]]] = {arm: [] for arm in ARMS}
    for _ in range(given.rounds):
        for arm in ARMS:
            found[arm].append(train(given.job, arm, given.steps, given.overrides))
    print(f"{'allocator':12}" + "".join(f"{name:>12}{'min':>10}{'max':>10}" for name in COLUMNS))
    for arm, records in found.items():
        cells = []
        for key, unit in COLUMNS.values():
            values = [record[key] / unit for record in records]
            cells.append(f"{statistics.median(values):12,.0f}{min(values):10,.0f}{max(values):10,.0f}")
        print(f"{arm:12}" + "".join(cells))


if __name__ == "__main__":
    main()
