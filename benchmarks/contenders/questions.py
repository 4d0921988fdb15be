"""What a registry's contenders are asked, each in its own words, and how they are timed.

Needs the standard library alone.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

PAGE = 20
MANY = 10_000
"""Scores entered at once."""
EVALUATION = ("bleu", "chrf", "ppl")
BUDGET_MS, RUN_BUDGET_MS = 100.0, 50.0
"""Within which a first page and all of one run are to be there."""


@dataclass(frozen=True)
class Question:
    """A first page of runs.

    Attributes:
        name: What a table calls it.
        ours: The query of Seqloom's registry.
        theirs: MLflow's filter; None where it has no way to ask this.
        their_order: What MLflow sorts by.
        follows: Whether the second page is asked for, too.
    """

    name: str
    ours: str | None
    theirs: str | None = None
    their_order: str = "attributes.start_time DESC"
    follows: bool = False


QUESTIONS = (
    Question("the newest", None, "", follows=True),
    Question(
        "several, by latest score",
        "task = 'translation' and bleu > 35 and config.train.steps = 2000 and tag.team = 'mt'"
        " order by bleu desc",
        "tags.task = 'translation' and metrics.bleu > 35 and params.`train.steps` = '2000'"
        " and tags.team = 'mt'",
        "metrics.bleu DESC",
    ),
    Question(
        "latest score", "bleu > 30 order by bleu desc", "metrics.bleu > 30", "metrics.bleu DESC", True
    ),
    Question(
        "configuration",
        "config.model.encoder.name = 'lstm' and config.train.steps = 16000",
        "params.`model.encoder.name` = 'lstm' and params.`train.steps` = '16000'",
    ),
    Question("configuration, none", "config.train.steps = 5", "params.`train.steps` = '5'"),
    Question(
        "tags",
        "tag.team = 'asr' and tag.owner = 'person07'",
        "tags.team = 'asr' and tags.owner = 'person07'",
    ),
    Question(
        "created within a week",
        "created >= '2026-03-01' and created < '2026-03-08' order by ppl",
        "attributes.start_time >= 1772323200000 and attributes.start_time < 1772928000000",
        "metrics.ppl ASC",
    ),
    Question("text like", "name like '%tion-07'", "attributes.run_name ILIKE '%tion-07'"),
    Question(
        "failed, by end",
        "status = 'failed' order by ended_at desc",
        "attributes.status = 'FAILED'",
        "attributes.end_time DESC",
    ),
    # What MLflow has no way to ask: best and earlier values, OR, NOT, numbers of a configuration, aliases.
    Question(
        "several, by best score",
        "task = 'translation' and max(bleu) > 35 and config.train.steps >= 2000 and tag.team = 'mt'"
        " order by max(bleu) desc",
        follows=True,
    ),
    Question("best score, rare", "min(wer) < 5.2 order by min(wer)"),
    Question("at a step", "at(bleu, 2000) > 35 order by at(bleu, 2000) desc", follows=True),
    Question("alias", "alias = 'champion' order by max(bleu) desc", follows=True),
    Question("no alias", "alias is null and status = 'finished' order by max(bleu) desc"),
    Question(
        "not and or",
        "not (task = 'translation' or status = 'finished') and (ppl < 10 or bleu is null)",
    ),
    Question("scores with or", "bleu > 49 or wer < 5.5 or rouge_1 > 49 order by created desc"),
    Question(
        "number of a configuration",
        "config.train.steps >= 8000 order by config.train.learning_rate desc, max(bleu) desc",
        follows=True,
    ),
    Question("no score", "bleu is null and chrf is null order by ended_at"),
    Question("error like, none", "error like '%out of memory%'"),
    Question("by tag", "tag.reviewed = 'no' order by tag.owner, name desc", follows=True),
)


def arguments() -> argparse.Namespace:
    """Those of whoever is asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url", help="of the filled database")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--found", type=Path, help="where ids of what was found go, as JSON")
    return parser.parse_args()


class Stopwatch:
    """Times what is asked.

    Args:
        repeats: How often, after a first time.
    """

    def __init__(self, repeats: int) -> None:
        self.repeats = repeats
        self.figures: dict[str, float] = {}
        self.found: dict[str, list[str]] = {}

    def time(self, name: str, ask: Callable[[], Sequence[str]]) -> list[str]:
        """Asks again and again; returns the ids found.

        Under ``name`` goes the median of the milliseconds, under ``name, first`` those of the first time in
        this process, under ``name, most`` the most of the others.
        """
        spent = []
        for _ in range(1 + self.repeats):
            started = time.perf_counter()
            found = ask()
            spent.append(1000 * (time.perf_counter() - started))
        first, *others = spent
        self.figures |= {
            name: statistics.median(others),
            f"{name}, first": first,
            f"{name}, most": max(others),
        }
        self.found[name] = list(found)
        return self.found[name]

    def once(self, name: str, act: Callable[[], object]) -> None:
        """Does something once."""
        started = time.perf_counter()
        act()
        spent = 1000 * (time.perf_counter() - started)
        self.figures |= {name: spent, f"{name}, first": spent, f"{name}, most": spent}

    def report(self, file: Path | None) -> None:
        """Prints the figures as the last line, and writes what was found."""
        if file is not None:
            file.write_text(json.dumps(self.found))
        print(json.dumps(self.figures))
