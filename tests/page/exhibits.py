"""Runs, models and files as a busy week leaves them, made up: what the page's tests look at."""

from __future__ import annotations

import hashlib
import json
import math
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from made_samples import write_samples

from seqloom.registry.records import DataFile, Run, Score
from seqloom.registry.runs import new_run_id
from seqloom.registry.store import Registry

SIGNATURES = {
    "bleu": "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.5.1",
    "chrf": "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:2.5.1",
    "cider": "n:4|sigma:6|refs:5|lower:yes",
    "wer": "norm:lower|punct:no",
    "ppl": "unit:token",
}
BEST = {"bleu": 34.2, "chrf": 58.9, "cider": 0.94, "wer": 0.071, "ppl": 4.6}
WORST = {"bleu": 2.0, "chrf": 18.0, "cider": 0.1, "wer": 0.95, "ppl": 190.0}
METRICS = {
    "translation": ("bleu", "chrf", "ppl"),
    "captioning": ("bleu", "cider"),
    "speech": ("wer", "ppl"),
}
NAMES = {"translation": "de-en", "captioning": "flickr8k", "speech": "an4-conformer"}
INPUT = {"translation": "text", "captioning": "image", "speech": "audio"}
CARD = """\
---
license: apache-2.0
---
# {name}

A model for {task}, trained by seqloom 0.1.0. <script>alert("card")</script>

| | |
|---|---|
| parameters | 4,273,152 |
| parts | encoder transformer, attention multihead, decoder transformer |
| data | 29,000 pairs, `train.lc.norm.tok` |

## Use

```python
import seqloom

model = seqloom.load("path/to/this/folder")
```

What it cannot do is in [its paper](https://example.org/paper), not [here](javascript:alert(1)), nor in
![a picture](https://example.org/picture.png).
"""


@dataclass
class Clock:
    """Goes on when told."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC) - timedelta(days=6))

    def __call__(self) -> datetime:
        return self.now

    def goes_on(self, **by: float) -> None:
        self.now += timedelta(**by)


def make_exhibits(folder: Path, *, runs: int = 56) -> tuple[str, Path]:
    """A registry and run folders.

    Returns:
        The registry's URL, and the folder of run folders.
    """
    place, url = folder / "runs", f"sqlite:///{folder / 'registry.db'}"
    clock, draw = Clock(), random.Random(5)
    with Registry(url, clock=clock) as registry:
        for number in range(runs):
            task = ("translation", "translation", "captioning", "speech")[number % 4]
            ending = "finished"
            if number % 9 == 5:
                ending = "interrupted" if number % 2 else "failed"
            if number == runs - 1:
                ending = "running"
            run_folder = place / new_run_id(clock.now)
            run = make_training(registry, run_folder, task, draw, number=number, ending=ending)
            clock.goes_on(minutes=draw.uniform(9, 70))
            if ending != "running":
                error = {
                    "failed": "DivergedError: the loss is not finite",
                    "interrupted": "Interrupted: stopped",
                }
                registry.end_run(run.id, ending, error.get(ending))  # type: ignore[arg-type]
            clock.goes_on(minutes=draw.uniform(1, 60))
            if ending == "finished" and number % 3 == 0:
                make_model(registry, run)
            left = timedelta(days=6) * (runs - number - 2) / runs
            clock.now = max(clock.now, datetime.now(UTC) - left - timedelta(hours=2))
            clock.now = min(clock.now, datetime.now(UTC) - timedelta(minutes=30))
        _call(registry)
    return url, place


def make_training(
    registry: Registry, folder: Path, task: str, draw: random.Random, *, number: int, ending: str
) -> Run:
    """A training with its folder."""
    name = NAMES[task]
    steps = 400 if ending == "running" else 8000 if ending == "finished" else 3100
    config = _config(task, name, draw, number)
    run = registry.start_run(
        id=folder.name,
        folder=str(folder),
        kind="train",
        name=name,
        task=task,
        config=config,
        seed=config["train"]["seed"],
        device="cpu",
        device_reason="no GPU was found",
        versions={
            "python": "3.11.7",
            "torch": "2.11.0",
            "seqloom": "0.1.0",
            f"seqloom-{INPUT[task]}": "0.1.0",
        },
        data=[
            DataFile(
                path=f"{part}.{side}",
                sha256=hashlib.sha256(f"{number % 4} {part} {side}".encode()).hexdigest(),
                split=part,
                bytes=1_904_221,
                rows=29_000 if part == "train" else 1_014,
            )
            for part in ("train", "valid")
            for side in ("source", "target")
        ],
        environment={
            "platform": "Linux-6.1",
            "host": "loom-3",
            "cpu": "Xeon",
            "cores": "16",
            "command": "seqloom train job.yaml",
        },
        git={"commit": 20 * f"{number % 3}a", "branch": "main", "dirty": "no"},
    )
    registry.add_event(run.id, "started")
    folder.mkdir(parents=True)
    quality = draw.uniform(0.82, 1.0)
    write_metrics(folder, task, steps, draw, quality)
    step = steps - steps % 1000 or steps
    registry.add_scores(
        run.id, [score for at in range(1000, steps + 1, 1000) for score in scores(task, at, quality)]
    )
    if ending != "failed":
        write_samples(folder, task, step)
        write_samples(folder, task, max(step // 2, 1))
    if number % 5 == 0:
        registry.tag_run(run.id, {"team": "mt" if task == "translation" else "vision"})
    return registry.run(run.id)


def _config(task: str, name: str, draw: random.Random, number: int) -> dict[str, Any]:
    part = {
        "name": "conformer" if task == "speech" else "transformer",
        "layers": draw.choice((3, 4, 6)),
        "heads": 4,
    }
    return {
        "task": {"name": task},
        "name": name,
        "data": {
            "root": "/data",
            "train": {"source": "train.source", "target": "train.target"},
            "max_length": 256,
        },
        "tokenizers": {"joint": {"name": "bpe", "size": 10000}},
        "model": {
            "width": draw.choice((256, 512)),
            "encoder": {**part, "feed_forward": 1024, "dropout": draw.choice((0.1, 0.2, 0.3))},
            "decoder": {**part, "feed_forward": 1024, "dropout": 0.1},
            "tied": True,
        },
        "train": {
            "steps": 8000,
            "batch_elements": 4096,
            "seed": number + 1,
            "learning_rate": draw.choice((0.0005, 0.001, 0.002)),
            "schedule": {"name": "cosine", "warmup": 1000},
            "label_smoothing": 0.1,
        },
        "evaluate": {"every": 500, "metrics": [{"name": metric} for metric in METRICS[task]]},
    }


# Curves ------------------------------------------------------------------------------------------------


def line(step: int, draw: random.Random, quality: float = 1.0, peak: float = 0.001) -> dict[str, float]:
    """What a training says of itself at a step."""
    warm = min(1.0, step / 1000)
    loss = 1.25 / quality + 7.6 * math.exp(-step / 620) + draw.gauss(0, 0.05 + 0.2 * math.exp(-step / 500))
    return {
        "step": step,
        "loss": loss,
        "gradient_norm": 0.6 + 2.5 * math.exp(-step / 400) + abs(draw.gauss(0, 0.15)),
        "targets_per_second": 5200 + draw.gauss(0, 240) - (1800 if step % 1000 < 30 else 0),
        "data_wait": abs(draw.gauss(0.012, 0.006)),
        "learning_rate": peak
        * warm
        * (1 if step < 1000 else 0.5 * (1 + math.cos(math.pi * (step - 1000) / 7000))),
        "peak_memory_bytes": 1.9e9 + 3e8 * (1 - math.exp(-step / 900)),
    }


def scores(task: str, step: int, quality: float = 1.0) -> list[Score]:
    """What an evaluation finds at a step."""
    done = quality * (1 - math.exp(-step / 1900))
    return [
        Score(
            metric=metric,
            value=WORST[metric] * (BEST[metric] / WORST[metric]) ** done
            if metric == "ppl"
            else WORST[metric] + (BEST[metric] - WORST[metric]) * done,
            split="valid",
            step=step,
            signature=SIGNATURES[metric],
        )
        for metric in METRICS[task]
    ]


def write_metrics(folder: Path, task: str, steps: int, draw: random.Random, quality: float) -> None:
    """A whole ``metrics.jsonl``."""
    peak = draw.choice((0.0005, 0.001, 0.002))
    with (folder / "metrics.jsonl").open("w", encoding="utf-8") as stream:
        for step in range(20, steps + 1, 20):
            stream.write(json.dumps(line(step, draw, quality, peak)) + "\n")
            if step % 1000 == 0:
                found = {score.metric: score.value for score in scores(task, step, quality)}
                stream.write(json.dumps({"step": step, "scores": found}) + "\n")
            if step == 1240:
                stream.write(
                    json.dumps(
                        {"step": step, "event": "skipped", "reason": "the loss was not finite", "ids": [7]}
                    )
                    + "\n"
                )


# Models ------------------------------------------------------------------------------------------------


def make_model(registry: Registry, run: Run) -> None:
    """The model of a training, and an evaluation of it."""
    folder = Path(run.folder) / "model"
    folder.mkdir()
    (folder / "README.md").write_text(CARD.format(name=run.name, task=run.task), encoding="utf-8")
    newest = [score for score in run.scores if score.step == max(one.step for one in run.scores)]
    model = registry.add_model(run.name, run.task, run.id, str(folder), 4 * "0123456789abcdef", newest)
    facts = {
        "config": run.config,
        "seed": run.seed,
        "device": run.device,
        "device_reason": run.device_reason,
    }
    judged = registry.start_run(
        kind="evaluate", name=run.name, task=run.task, versions=run.versions, data=[DataFile(path="test.source", sha256=64 * "a", split="test", rows=1000)], model=model.uri, **facts
    )  # fmt: skip
    registry.add_scores(
        judged.id,
        [
            Score(metric=s.metric, value=s.value * 0.97, split="test", step=s.step, signature=s.signature)
            for s in newest
        ],
    )
    registry.add_artefact(
        judged.id,
        kind="predictions",
        path=str(folder.parent / "test.jsonl"),
        sha256=64 * "b",
        size_bytes=81_220,
    )
    registry.end_run(judged.id, "finished")


def _call(registry: Registry) -> None:
    for name in sorted(set(NAMES.values())):
        versions = registry.models(f"name = '{name}' order by version desc")
        if versions:
            registry.set_alias(name, versions[0].version, "candidate")
            registry.set_alias(name, versions[-1].version, "champion")
            registry.set_alias(name, versions[len(versions) // 2].version, "candidate")
            registry.tag_model(versions[-1].uri, {"reviewed": "yes"})
            registry.note_model(versions[-1].uri, "Reads well; the numbers in dates are still mixed up.")
