"""Makes examples, a conversation so far and the system's next turn, of dialogues.

Usage: SEQLOOM_DATA=~/data python benchmarks/dialogue_data.py FOLDER [--valid 150] [--seed 1]

SEQLOOM_DATA names a folder with ``sgd_dialogue/{train,dev,test}.jsonl.gz``: a line is a dialogue as
``{"id": …, "services": […], "turns": […]}``, whose turns are the user's and the system's by turns.
FOLDER gets ``{train,valid,test}.jsonl``, a line for each of the system's turns in which anything is said:

- ``history``: all turns before it, each after ``<user>`` or ``<system>``
- ``reply``: the turn itself
- ``service``: the dialogue's services in alphabetical order, joined by ``+``

Train and test are the official ones; valid is so many dialogues of dev, drawn at random.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

SPEAKERS: Final = ("user", "system")


def dialogues(file: Path) -> list[dict[str, Any]]:
    """The dialogues of a split."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def examples(dialogue: dict[str, Any]) -> Iterator[dict[str, str]]:
    """An example for each of the system's turns in which anything is said."""
    turns: Sequence[str] = [" ".join(turn.split()) for turn in dialogue["turns"]]
    said = [f"<{SPEAKERS[number % 2]}> {turn}".strip() for number, turn in enumerate(turns)]
    for number in range(1, len(turns), 2):
        if not turns[number]:
            continue
        yield {
            "history": " ".join(said[:number]),
            "reply": turns[number],
            "service": "+".join(sorted(dialogue["services"])),
        }


def write(file: Path, split: Iterable[dict[str, Any]]) -> None:
    """Writes the examples of a split's dialogues."""
    with file.open("w", encoding="utf-8") as lines:
        for dialogue in split:
            for example in examples(dialogue):
                lines.write(json.dumps(example, ensure_ascii=False) + "\n")


def main() -> None:
    """Makes what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--valid", type=int, default=150, help="dialogues to tune by")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    data = Path(os.environ["SEQLOOM_DATA"]) / "sgd_dialogue"
    given.folder.mkdir(parents=True, exist_ok=True)
    dev = dialogues(data / "dev.jsonl.gz")
    splits = {
        "train": dialogues(data / "train.jsonl.gz"),
        "valid": random.Random(given.seed).sample(dev, given.valid),
        "test": dialogues(data / "test.jsonl.gz"),
    }
    for name, split in splits.items():
        write(given.folder / f"{name}.jsonl", split)


if __name__ == "__main__":
    main()
