"""Many processes register versions of one model at once: are there gaps, errors, or some that wait longer?

Usage: python benchmarks/registry_writers.py [--processes 16] [--versions 250] [--databases sqlite]

Every process opens the registry, waits until all have, and registers its versions as fast as it can. A
commit's time is that of the whole verb, the wait for the others in it. PostgreSQL is a server of our own.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from seqloom.errors import SeqloomError
from seqloom.registry.records import Score
from seqloom.registry.store import Registry

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import postgres

FORK = multiprocessing.get_context("fork")
SCORES = [Score(metric="bleu", value=31.5, split="valid", step=500, signature="nrefs:1|case:mixed")]
HEADER = (
    *("database", "versions", "gaps", "errors"),
    *("fastest s", "slowest s", "ratio", "p50 ms", "p99 ms", "max ms"),
)
KINDS = ["sqlite", "postgresql"]


class Told(NamedTuple):
    """What a process tells: its commits' seconds, its versions, its errors, and how long it took."""

    seconds: list[float]
    versions: list[int]
    errors: list[str]
    whole: float


def register(url: str, count: int, start: Any, told: Any) -> None:
    """What a process does."""
    found = Told([], [], [], 0.0)
    with Registry(url) as registry:
        registry.prepare()
        start.wait()
        began = time.perf_counter()
        for _ in range(count):
            before = time.perf_counter()
            try:
                model = registry.add_model("de-en", "translation", None, "/models/x", "c0ffee", SCORES)
            except SeqloomError as error:
                found.errors.append(str(error))
            else:
                found.versions.append(model.version)
            found.seconds.append(time.perf_counter() - before)
    told.put(found._replace(whole=time.perf_counter() - began))


def race(url: str, processes: int, count: int) -> list[Told]:
    """What all processes tell."""
    with Registry(url) as registry:
        registry.prepare()
    start, told = FORK.Barrier(processes), FORK.Queue()
    gc.freeze()  # else all processes would look through what they share for garbage at the same commit
    workers = [FORK.Process(target=register, args=(url, count, start, told)) for _ in range(processes)]
    for worker in workers:
        worker.start()
    found = [told.get(timeout=600) for _ in workers]
    for worker in workers:
        worker.join()
    return found


def row(name: str, found: Sequence[Told]) -> list[str]:
    """A line of the table."""
    versions = sorted(version for one in found for version in one.versions)
    gaps = sum(number != version for number, version in enumerate(versions, start=1))
    seconds = statistics.quantiles((second for one in found for second in one.seconds), n=100)
    fastest, slowest = min(one.whole for one in found), max(one.whole for one in found)
    cells = [name, str(len(versions)), str(gaps), str(sum(len(one.errors) for one in found))]
    cells += [f"{fastest:.1f}", f"{slowest:.1f}", f"{fastest / slowest:.2f}"]
    longest = max(second for one in found for second in one.seconds)
    return cells + [f"{1000 * second:.0f}" for second in (seconds[49], seconds[98], longest)]


@contextmanager
def database(kind: str) -> Iterator[str]:
    """The URL of a registry that is not there yet."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/registry.db"
    else:
        with postgres.running() as server:
            yield server.new()


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--processes", type=int, default=16)
    parser.add_argument("--versions", type=int, default=250, help="of each process")
    parser.add_argument("--databases", nargs="+", choices=KINDS, default=KINDS)
    given = parser.parse_args(arguments)
    print("| " + " | ".join(HEADER) + " |\n|" + " --- |" * len(HEADER))
    for kind in given.databases:
        if kind == "postgresql" and (reason := postgres.why_not()):
            print(f"| {kind} | {reason} |")
            continue
        with database(kind) as url:
            found = race(url, given.processes, given.versions)
        print("| " + " | ".join(row(kind, found)) + " |", flush=True)


if __name__ == "__main__":
    main()
