"""How fast is a registry of 20,000 runs with a million scores? Seqloom's beside MLflow's, both in SQLite.

Usage: python benchmarks/registry.py [--runs 20000] [--scores 1000000] [--repeats 20] [--rounds 3]
                                     [--postgresql URL] [--reuse]

Fills a database of each with the same made-up runs, inserted in bulk into its own tables; of the first runs
both check that their own interface would have left the same rows. MLflow holds a configuration as
parameters, one text a key. Then, in turn and each in a process of its own, both are asked for first pages
of 20 runs, for what of it MLflow has a way to ask, and Seqloom for more; for all of one run; and then
runs and scores are entered. Prints the median of the milliseconds that a page takes when it is asked for
again and again, the first time of a process, the most of all, and MLflow's median as a multiple of ours.
Whether both find the same runs in the same order is told below. Everything in this process and on this
machine: no server, no network. ``--postgresql`` names an empty database to measure Seqloom with, too;
``--reuse`` takes databases that are there as they are.
MLflow has an environment of its own: benchmarks/peers.py makes it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from contest import IDLE_SHARE, Contender, Found, add_options, contender, hold, run
from peers import WORKSPACE

FOLDER = WORKSPACE / "registry"
sys.path.append(str(Path(__file__).parent / "contenders"))

from questions import BUDGET_MS, RUN_BUDGET_MS  # noqa: E402 - beside the contenders, which share it


def urls(given: argparse.Namespace) -> dict[str, tuple[str, str]]:
    """Of each contender its peer and its database."""
    found = {
        "seqloom": ("seqloom", f"sqlite:///{FOLDER}/seqloom.db"),
        "mlflow": ("mlflow", f"sqlite:///{FOLDER}/mlflow.db"),
    }
    if given.postgresql:
        found["seqloom, PostgreSQL"] = ("seqloom", given.postgresql)
    return found


def fill(places: Mapping[str, tuple[str, str]], given: argparse.Namespace) -> None:
    """Makes the databases anew."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    for name, (peer, url) in places.items():
        arguments = (url, f"--runs={given.runs}", f"--scores={given.scores}")
        each = contender(name, peer, *arguments, verb="fill")
        if each.command is None:
            print(f"{name}: not installed")
            continue
        seconds = run(each, os.environ)["filling"]
        file = Path(url.removeprefix("sqlite:///"))
        size = f", {file.stat().st_size / 2**20:,.0f} MiB" if file.is_file() else ""
        print(f"{name}: filled in {seconds:.0f} s{size}", flush=True)


def asked(places: Mapping[str, tuple[str, str]], given: argparse.Namespace, verb: str) -> list[Contender]:
    """Contenders that are asked, or told, the same."""
    return [
        contender(
            name,
            peer,
            url,
            f"--repeats={given.repeats}",
            *([f"--found={FOLDER}/{name}.json"] if verb == "ask" else []),
            verb=verb,
        )
        for name, (peer, url) in places.items()
    ]


def names_of(found: Mapping[str, Found]) -> list[str]:
    """What was asked."""
    (records, _), *_ = found.values()
    figures = records[0] if records else {}
    return [name.removesuffix(", most") for name in figures if name.endswith(", most")]


def show(found: Mapping[str, Found]) -> None:
    """Prints a line for each question."""
    print(
        f"\n{'milliseconds':38}"
        + "".join(f"{name:>21}{'first':>8}{'most':>8}" for name in found)
        + "   ratio"
    )
    for name in names_of(found):
        medians = {each: _figure(one.records, name, statistics.median) for each, one in found.items()}
        cells = "".join(
            f"{_shown(medians[each]):>21}"
            f"{_shown(_figure(one.records, f'{name}, first', max)):>8}"
            f"{_shown(_figure(one.records, f'{name}, most', max)):>8}"
            for each, one in found.items()
        )
        ours, theirs = medians.get("seqloom"), medians.get("mlflow")
        print(f"{name:38}{cells}" + (f"{theirs / ours:8.1f}" if ours and theirs else ""))
    for each, one in found.items():
        if one.why:
            print(f"{each}: {one.why}")
    foreign = [record["foreign"] for one in found.values() for record in one.records]
    if foreign:
        middle, most = statistics.median(foreign), max(foreign)
        print(f"Other processes took {middle:.0%} of the machine, at most {most:.0%}.", end="")
        print(" PROVISIONAL: measure again when it is idle." if most > IDLE_SHARE else "")


def _figure(records: Sequence[Mapping[str, float]], name: str, of: object) -> float | None:
    values = [record[name] for record in records if name in record]
    return of(values) if values and callable(of) else None


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"


def judge(found: Mapping[str, Found]) -> None:
    """Tells what of Seqloom's took longer than it may."""
    for each, one in found.items():
        if not each.startswith("seqloom"):
            continue
        late = []
        for name in names_of({each: one}):
            took = _figure(one.records, name, statistics.median) or 0.0
            if took > (RUN_BUDGET_MS if name.startswith("a run") else BUDGET_MS):
                late.append(f"{name} ({took:.0f} ms)")
        print(
            f"{each}: pages within {BUDGET_MS:.0f} ms and runs within {RUN_BUDGET_MS:.0f} ms, but", end=" "
        )
        print(", ".join(late) or "none: all are")


def compare(places: Mapping[str, tuple[str, str]]) -> None:
    """Tells whether the others found the runs that Seqloom found."""
    answers = {name: FOLDER / f"{name}.json" for name in places}
    found = {name: json.loads(file.read_text()) for name, file in answers.items() if file.exists()}
    ours = found.pop("seqloom", {})
    for name, theirs in found.items():
        same = [question for question in theirs if theirs[question] == ours.get(question)]
        print(f"{name} found what seqloom found for {len(same)} of {len(theirs)} questions", end="")
        print("".join(f"; not for: {question}" for question in theirs if question not in same))


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--scores", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--postgresql", metavar="URL", help="an empty database")
    parser.add_argument("--reuse", action="store_true", help="those that were filled before")
    add_options(parser, rounds=3)
    given = parser.parse_args()
    places = urls(given)
    if not given.reuse:
        fill(places, given)
    found = hold(asked(places, given, "ask"), given)
    show(found)
    judge(found)
    compare(places)
    show(hold(asked(places, given, "enter"), given))


if __name__ == "__main__":
    main()
