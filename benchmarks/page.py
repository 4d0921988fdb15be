"""How long does a page take? A run with a log of 100,000 lines, asked over HTTP as a browser does.

Usage: python benchmarks/page.py [--lines 100000] [--scores 1000] [--rounds 20]

Makes a registry with one run, writes its log, starts ``seqloom ui`` and asks it. Prints the milliseconds of
each kind of answer, median with the least and the most. The first answer of a run's page comes before its
log is read (the page asks for its curves once it is shown); that of its curves is what reads all lines.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from seqloom.registry.records import Run, Score
from seqloom.registry.store import Registry

LINE = {
    "loss": 3.1416,
    "gradient_norm": 0.7312,
    "targets_per_second": 5123.4,
    "data_wait": 0.0123,
    "learning_rate": 0.000812,
    "peak_memory_bytes": 2123456789,
}


def make_run(folder: Path, scores: int) -> Run:
    """A run that goes on, with so many scores."""
    with Registry(f"sqlite:///{folder / 'registry.db'}") as registry:
        run = registry.start_run(
            kind="train",
            name="long",
            task="translation",
            config={"train": {"steps": 10**6}},
            seed=1,
            device="cpu",
            device_reason="asked for",
            versions={},
            data=(),
            folder=str(folder / "run"),
        )
        made = [
            Score(
                metric=("bleu", "ppl")[step % 2], value=step / 100, split="valid", step=step, signature=""
            )
            for step in range(scores)
        ]
        registry.add_scores(run.id, made)
        return run


def append(file: Path, first: int, count: int) -> None:
    """Goes on with a log."""
    with file.open("a", encoding="utf-8") as stream:
        stream.writelines(
            json.dumps({"step": step, **LINE, "loss": 1 + 8 / (1 + step / 5000) + step % 7 / 50}) + "\n"
            for step in range(first, first + count)
        )


def milliseconds(ask: Callable[[], httpx.Response]) -> float:
    """Of an answer, its body included."""
    start = time.perf_counter()
    ask().raise_for_status()
    return 1000 * (time.perf_counter() - start)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--scores", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "run").mkdir()
        run, log = make_run(folder, given.scores), folder / "run" / "metrics.jsonl"
        append(log, 1, given.lines)
        command = [sys.executable, "-m", "seqloom", "ui", "--port", "0"]
        with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as server:
            assert server.stderr is not None
            [address] = re.findall(r"http://\S+", server.stderr.readline())
            with httpx.Client(base_url=address, timeout=60) as client:
                client.get("/models")  # templates and the database are opened once
                page, live = f"/runs/{run.id}", f"/runs/{run.id}/live"
                rows = {
                    "page, log not read": [milliseconds(lambda: client.get(page))],
                    "curves, log not read": [milliseconds(lambda: client.get(live))],
                    "page": [milliseconds(lambda: client.get(page)) for _ in range(given.rounds)],
                    "curves, 10 lines more": [],
                }
                for turn in range(given.rounds):
                    append(log, given.lines + 1 + 10 * turn, 10)
                    rows["curves, 10 lines more"].append(milliseconds(lambda: client.get(live)))
            server.terminate()
    print(f"{given.lines:,} lines, {given.scores:,} scores; milliseconds: median (least to most)")
    for name, found in rows.items():
        print(f"{name:24} {statistics.median(found):8.1f} ({min(found):.1f} to {max(found):.1f})")


if __name__ == "__main__":
    main()
