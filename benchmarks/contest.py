"""How contenders are measured side by side: in turn, each in a process of its own, over several rounds."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from peers import python_of

CONTENDERS = Path(__file__).parent / "contenders"
IDLE_SHARE = 0.05
"""Share of the machine that others may take: with more, figures are marked as provisional."""
KEEP = "glibc.malloc.mmap_threshold=1073741824:glibc.malloc.trim_threshold=2147483647"
"""What seqloom.allocator does within a process, as glibc takes it from outside, for any process."""

Record = dict[str, float]


class Contender(NamedTuple):
    """One line of a table.

    Attributes:
        name: What the table calls it.
        command: What runs it; its last line of output is a JSON object of figures, if it has any.
        keep: Whether glibc is told to keep freed memory.
    """

    name: str
    command: list[str] | None  # None where it is not installed
    keep: bool = False


class Found(NamedTuple):
    """What became of a contender.

    Attributes:
        records: Of each round its figures.
        why: Why there are none.
    """

    records: list[Record]
    why: str = ""


class Column(NamedTuple):
    """A figure of a table; ``detailed`` ones show the least and the most beside their median."""

    key: str
    title: str
    decimals: int = 0
    detailed: bool = False


def contender(name: str, peer: str, *arguments: str, keep: bool = False, verb: str = "run") -> Contender:
    """A script of the folder ``contenders``, run by the Python that has what it needs.

    Args:
        name: What the table calls it.
        peer: Whose; ``contenders/<verb>_<peer>.py``.
        arguments: Of the script.
        keep: Whether glibc is told to keep freed memory.
        verb: What it does.
    """
    python = Path(sys.executable) if peer in ("seqloom", "plain") else python_of(peer)
    script = CONTENDERS / f"{verb}_{peer}.py"
    return Contender(name, python and [str(python), str(script), *arguments], keep)


def with_and_without(name: str, peer: str, *arguments: str, verb: str = "run") -> list[Contender]:
    """A contender with memory as the system hands it out, and one that keeps what it freed.

    Seqloom keeps it by itself; glibc is told to for the others.
    """
    ours, kept = peer == "seqloom", f"{name}, memory kept"
    return [
        contender(name, peer, *arguments, verb=verb),
        contender(
            kept, peer, *arguments, *(["--allocator=keep"] if ours else []), keep=not ours, verb=verb
        ),
    ]


def add_options(parser: argparse.ArgumentParser, rounds: int) -> None:
    """The options that every contest has."""
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--wait", type=float, default=30, help="seconds at most for the machine to be idle")
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", help="contenders whose names hold one of these"
    )


def hold(contenders: Sequence[Contender], given: argparse.Namespace) -> dict[str, Found]:
    """Runs all contenders ``given.rounds`` times in turn, and says so on stderr."""
    chosen = [
        each for each in contenders if not given.only or any(part in each.name for part in given.only)
    ]
    found = {each.name: Found([], "" if each.command else "not installed") for each in chosen}
    environment = os.environ | {"OMP_NUM_THREADS": str(given.threads)}
    waited = wait_for_idle(given.wait)
    if waited >= given.wait:
        print(f"The machine is busy, and was for {waited:.0f} s: measuring all the same.", file=sys.stderr)
    for number in range(given.rounds):
        for each in chosen:
            if found[each.name].why:
                continue
            print(f"round {number + 1} of {given.rounds}: {each.name}", file=sys.stderr, flush=True)
            try:
                found[each.name].records.append(run(each, environment))
            except RuntimeError as error:
                found[each.name] = Found([], str(error))
    return found


def run(each: Contender, environment: Mapping[str, str]) -> Record:
    """Runs a contender once.

    Returns:
        What it reports, and ``seconds``, ``cpu`` (seconds of all its threads), ``peak`` (MiB, resident) and
        ``foreign``: the share of the machine's time that other processes took.

    Raises:
        RuntimeError: It failed; says how.
    """
    assert each.command is not None
    environment = {**environment, **({"GLIBC_TUNABLES": KEEP} if each.keep else {})}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        busy, started = busy_seconds(), time.perf_counter()
        process = subprocess.Popen(each.command, stdout=out, stderr=errors, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)  # or Popen would wait again
        seconds = time.perf_counter() - started
        used = usage.ru_utime + usage.ru_stime
        foreign = max(0.0, busy_seconds() - busy - used) / seconds / cores()
        for file in (out, errors):
            file.seek(0)
        if process.returncode:
            last = errors.read().decode(errors="replace").strip().splitlines()[-1:]
            raise RuntimeError(f"failed with {process.returncode}: {''.join(last)}")
        lines = out.read().decode(errors="replace").splitlines()
    figures = json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {}
    peak = usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return {**figures, "seconds": seconds, "cpu": used, "peak": peak, "foreign": foreign}


def show(found: Mapping[str, Found], columns: Sequence[Column], base: str) -> None:
    """Prints the table, with the ratio of the first column to that of ``base``."""
    head = "".join(
        f"{column.title:>12}" + (f"{'min':>10}{'max':>10}" if column.detailed else "") for column in columns
    )
    print(f"{'contender':28}{head}{'ratio':>8}")
    reference = found.get(base)
    for name, (records, why) in found.items():
        if not records:
            print(f"{name:28}{why:>12}")
            continue
        cells = "".join(_cell([record[column.key] for record in records], column) for column in columns)
        ratio = ""
        if reference and reference.records:
            ratio = f"{_median(records, columns[0].key) / _median(reference.records, columns[0].key):8.2f}"
        print(f"{name:28}{cells}{ratio}")
    foreign = [record["foreign"] for records, _ in found.values() for record in records]
    if foreign:
        middle, most = statistics.median(foreign), max(foreign)
        print(f"Other processes took {middle:.0%} of the machine, at most {most:.0%}.", end="")
        print(" PROVISIONAL: measure again when it is idle." if most > IDLE_SHARE else "")


def _median(records: Sequence[Record], key: str) -> float:
    return statistics.median(record[key] for record in records)


def _cell(values: list[float], column: Column) -> str:
    cells = f"{statistics.median(values):12,.{column.decimals}f}"
    if column.detailed:
        cells += "".join(f"{value:10,.{column.decimals}f}" for value in (min(values), max(values)))
    return cells


def wait_for_idle(limit: float) -> float:
    """Waits until hardly anything runs, ``limit`` seconds at most; returns the seconds waited."""
    started = time.perf_counter()
    while (waited := time.perf_counter() - started) < limit:
        before = busy_seconds()
        time.sleep(1)
        if busy_seconds() - before < IDLE_SHARE * cores():
            break
    return waited


def busy_seconds() -> float:
    """What all cores together have worked since the machine started; 0 where the system does not tell."""
    if not STAT.is_file():
        return 0.0
    user, nice, system, _, _, interrupts, soft_interrupts = map(int, STAT.read_text().split()[1:8])
    return (user + nice + system + interrupts + soft_interrupts) / os.sysconf("SC_CLK_TCK")


def cores() -> int:
    """How many the machine has, whichever this process may use."""
    return os.cpu_count() or 1


STAT = Path("/proc/stat")
