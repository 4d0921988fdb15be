"""Runs as a group might have left them over a year, made up: what a registry's contenders are filled with.

Nothing but Python's own library is used, as each contender makes them in an environment of its own. They
follow from (runs, scores, seed) alone: every contender holds the same, number for number.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

RUNS, SCORES, SEED = 20_000, 1_000_000, 1
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
APART = timedelta(minutes=20)
LONG = 200
"""One run of so many was evaluated twenty times as often as the others."""
NAMES = 200
TEAMS = {"translation": "mt", "speech": "asr", "captioning": "vision", "summarization": "mt"}
METRICS = {
    "translation": ("bleu", "chrf", "ppl"),
    "speech": ("wer", "cer", "ppl"),
    "captioning": ("bleu", "rouge_l", "ppl"),
    "summarization": ("rouge_1", "rouge_l", "ppl"),
}
FALLING = {"wer", "cer", "ppl"}
PART = {
    "heads": 4,
    "feed_forward": 1024,
    "dropout": 0.1,
    "attention_dropout": 0.0,
    "norm": "pre",
    "activation": "relu",
    "positions": "sinusoidal",
    "max_positions": 1024,
}
JOB = """{
"preset": "small", "device": "auto", "dtype": "auto", "allocator": "keep",
"data": {"root": ".", "train": {"source": "train.source", "target": "train.target"},
    "valid": {"source": "valid.source", "target": "valid.target"}, "test": null, "max_length": null,
    "on_bad_example": "error", "bad_examples": 0.01, "workers": 0},
"inputs": {"source": {"name": "text", "max_tokens": null}},
"tokenizers": {"joint": {"name": "bpe", "normalization": "nfc", "size": 8000, "min_count": 2}},
"model": {"attention": null, "tie_output": true,
    "head": {"name": "sequence", "label_smoothing": 0.1, "ctc": 0.0, "coverage": 0.0}},
"train": {"minutes": null, "batch_elements": 4096, "accumulate": 1,
    "optimizer": {"name": "adamw", "betas": [0.9, 0.98], "epsilon": 1e-9, "weight_decay": 0.0},
    "schedule": {"name": "inverse_sqrt", "warmup": 400}, "parameters": [], "ema": null,
    "clip_norm": 1.0, "compile": false, "log_every": 50, "tensorboard": false, "save_every": null,
    "keep": 2, "average": 1},
"evaluate": {"every": 500, "patience": null, "beam": 1, "baselines": [], "by": null},
"decode": {"beam": 5, "n_best": 1, "length_penalty": 0.6, "max_length_factor": 2.0,
    "max_length_offset": 20, "min_length": 0, "batch_size": 64, "batch_elements": 40000,
    "attention": false, "emissions": false, "ctc": null}}"""
"""What all of them were told; a resolved job has about 90 keys."""


@dataclass(frozen=True)
class History:
    """One run and what became of it.

    Attributes:
        scores: (metric, value, steps) each, as they were entered.
        parameters: The resolved job, nested.
        versions: How many models of its name there were with its own; 0 where it left none.
        aliases: Names that point to its model.
    """

    id: str
    kind: str
    status: str
    name: str
    task: str
    parameters: dict[str, Any]
    started_at: datetime
    ended_at: datetime | None
    error: str | None
    tags: dict[str, str]
    scores: list[tuple[str, float, int]]
    version: int
    aliases: tuple[str, ...] = ()


def histories(runs: int = RUNS, scores: int = SCORES, seed: int = SEED) -> Iterator[History]:
    """So many runs with so many scores together, oldest first.

    Args:
        runs: How many.
        scores: How many they have together; at least 20 times ``runs``.
        seed: Of everything random.
    """
    chance = random.Random(seed)
    made: dict[str, int] = {}
    last = _last_versions(runs, seed)
    counts = _counts(runs, scores)
    for number, count in enumerate(counts):
        history = _history(chance, number, count)
        if history.status == "finished" and history.kind == "train":
            version = made[history.name] = made.get(history.name, 0) + 1
            behind = last.get(history.name, 0) - version
            aliases = {0: ("candidate",), 3: ("champion", "served")}.get(behind, ())
            history = History(**{**vars(history), "version": version, "aliases": aliases})
        yield history


def _last_versions(runs: int, seed: int) -> dict[str, int]:
    """How many models of each name there will be; needs no scores, so it draws them not."""
    chance = random.Random(seed)
    found: dict[str, int] = {}
    for number in range(runs):
        history = _history(chance, number, 0)
        if history.status == "finished" and history.kind == "train":
            found[history.name] = found.get(history.name, 0) + 1
    return found


def _counts(runs: int, scores: int) -> list[int]:
    """How many scores each run has; they add up exactly."""
    usual, long = scores // runs, runs // LONG
    rest = scores - long * 20 * usual
    counts = [rest // (runs - long)] * runs
    for number in range(rest % (runs - long)):
        counts[number * LONG % runs + 1 + number * LONG // runs] += 1
    for number in range(long):
        counts[number * LONG] = 20 * usual
    return counts


def _history(chance: random.Random, number: int, count: int) -> History:
    """A run; draws as often for any ``count``, and its scores from a generator of their own."""
    task = chance.choices(tuple(TEAMS), (5, 2, 2, 1))[0]
    name = f"{task}-{chance.randrange(NAMES // 4):02}"
    kind = "evaluate" if chance.random() < 0.1 else "train"
    status = chance.choices(("finished", "failed", "interrupted", "running"), (85, 8, 5, 2))[0]
    started = FIRST + number * APART + timedelta(seconds=chance.randrange(600))
    lasted = timedelta(seconds=chance.randrange(60, 20_000))
    parameters = _parameters(chance, task, name)
    return History(
        id=f"{started:%Y%m%d-%H%M%S}-{chance.getrandbits(24):06x}",
        kind=kind,
        status=status,
        name=name,
        task=task,
        parameters=parameters,
        started_at=started,
        ended_at=None if status == "running" else started + lasted,
        error=f"DataError: train.source:{number}: empty line" if status == "failed" else None,
        tags={
            "team": TEAMS[task],
            "owner": f"person{chance.randrange(40):02}",
            "reviewed": chance.choice(("yes", "no")),
        },
        scores=_scores(random.Random(number), task, count),
        version=0,
    )


def _scores(chance: random.Random, task: str, count: int) -> list[tuple[str, float, int]]:
    """A figure of each metric every 500 steps, better as time goes by."""
    ends = {name: chance.uniform(5, 50) for name in METRICS[task]}
    found = []
    for number in range(count):
        name = METRICS[task][number % 3]
        evaluation = 1 + number // 3
        learnt = 1 - 0.7**evaluation
        value = ends[name] * (2 - learnt if name in FALLING else learnt) + chance.gauss(0, 0.3)
        found.append((name, round(value, 4), 500 * evaluation))
    return found


def _parameters(chance: random.Random, task: str, name: str) -> dict[str, Any]:
    """A resolved job, as long as real ones are."""
    job: dict[str, Any] = json.loads(JOB)
    depth = chance.choice((2, 3, 4, 6))
    metrics = [{"name": metric, "lowercase": False, "tokenize": "13a"} for metric in METRICS[task][:2]]
    job["model"] |= {
        "width": chance.choice((128, 256, 512)),
        "encoder": PART | {"name": chance.choices(("transformer", "conformer", "lstm"), (7, 2, 1))[0]},
        "decoder": PART | {"name": "transformer", "layers": depth},
    }
    job["model"]["encoder"]["layers"] = depth
    job["train"] |= {
        "steps": chance.choice((1000, 2000, 4000, 8000, 16_000)),
        "seed": chance.randrange(5),
        "learning_rate": chance.choice((0.0005, 0.001, 0.002)),
    }
    job["evaluate"] |= {"metrics": metrics, "best": metrics[0]["name"]}
    return {"task": {"name": task}, "name": name, **job}
