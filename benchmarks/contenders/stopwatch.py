"""What every contender shares: arguments, stopwatch, report. Needs the standard library alone."""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

WARM_UP_STEPS = 3
STARTING_SECONDS = 120
"""What a peer may take before its first step."""


def arguments() -> argparse.Namespace:
    """Those of all contenders."""
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=("train", "decode"))
    parser.add_argument("folder", type=Path, help="what material.py wrote")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dtype", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--allocator", choices=("keep", "system"), default="system")
    parser.add_argument("--beam", type=int, default=1)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--outputs", type=Path, help="where decoded ids go, as JSON")
    return parser.parse_args()


def time_training(step: Callable[[int], object], tokens: Sequence[int], seconds: float) -> None:
    """Calls ``step`` with 0, 1, 2 … for so many seconds, and reports target tokens a second.

    Args:
        step: Trains on the batch of that number.
        tokens: Of each batch the target tokens, EOS counted, padding not; after the last comes the first.
        seconds: How long, warm-up not counted.
    """
    for number in range(WARM_UP_STEPS):
        step(number)
    number, trained, started = WARM_UP_STEPS, 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        step(number)
        trained += tokens[number % len(tokens)]
        number += 1
    report(tokens_per_second=trained / (time.perf_counter() - started))


def time_decoding(
    decode: Callable[[Sequence[list[int]]], list[list[int]]], given: argparse.Namespace, eos: int
) -> None:
    """Decodes all sources once after a first batch, and reports output tokens a second.

    Args:
        decode: A batch of sources to outputs without EOS; both are token ids.
        given: Names the folder, the size of a batch, and where outputs go.
        eos: Ends sources; none in an output is counted but the one that each has.
    """
    sources = json.loads((given.folder / "sources.json").read_text())
    batches = [sources[start : start + given.batch] for start in range(0, len(sources), given.batch)]
    decode(batches[0])
    started = time.perf_counter()
    outputs = [[token for token in output if token != eos] for batch in batches for output in decode(batch)]
    seconds = time.perf_counter() - started
    if given.outputs:
        given.outputs.write_text(json.dumps(outputs))
    tokens = sum(len(output) + 1 for output in outputs)
    report(tokens_per_second=tokens / seconds, length=tokens / len(outputs))


def watch_training(peer: str, command: list[str], pattern: str, given: argparse.Namespace) -> None:
    """Lets a command train for so many seconds, and reports the median of the rates that it logs.

    Time begins with its first rate, which is its warm-up's and does not count.

    Args:
        peer: Names the log, which lies beside its material.
        command: Trains until it is stopped.
        pattern: Finds a rate, in target tokens a second, in what it prints.
        given: Names the folder and the seconds.

    Raises:
        SystemExit: It ended, or took ten times as long, without two rates.
    """
    log = given.folder / f"{peer}.log"
    rates: list[float] = []
    started, first = time.perf_counter(), 0.0
    with log.open("w") as file, subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT) as process:
        while (
            process.poll() is None and time.perf_counter() - started < 10 * given.seconds + STARTING_SECONDS
        ):
            time.sleep(0.5)
            rates = [float(rate) for rate in re.findall(pattern, log.read_text(errors="replace"))]
            first = first or (time.perf_counter() if rates else 0.0)
            if len(rates) > 1 and time.perf_counter() - first > given.seconds:
                break
        process.kill()
    if len(rates) < 2:
        sys.exit(f"no rates in what it prints; see {log}")
    report(tokens_per_second=statistics.median(rates[1:]))


def report(**figures: float) -> None:
    """Prints what the contest reads."""
    print(json.dumps(figures))
