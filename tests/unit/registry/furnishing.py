"""A registry in which there is everything, made up by chance, and all that can be asked of one."""

from __future__ import annotations

import hashlib
import json
import math
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from seqloom.errors import ConfigError, SeqloomError
from seqloom.registry.records import DataFile, Score
from seqloom.registry.store import Registry

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
NAMES = ("de-en", "asr", "x.y_z")
ALIASES = ("champion", "candidate")
WORDS = ("ä ö", "a\nb", "null", "日本", '"quoted"', "\N{GRINNING FACE}", "x" * 300)
VALUES = (1.5, 0.1 + 0.2, -1e300, 5e-324, math.nan, math.inf, -math.inf, 3.0)


class Furnisher:
    """Does one thing after the other to a registry.

    Args:
        registry: It.
        runs: Where run folders are made.
        rng: What decides.
    """

    def __init__(self, registry: Registry, runs: Path, rng: random.Random) -> None:
        self.registry = registry
        self.runs = runs
        self.rng = rng
        self.ids: list[str] = []
        self.models: list[tuple[str, int]] = []

    def furnish(self, steps: int) -> None:
        """Does so many things; what makes no sense at that time is refused, and is none."""
        self.start()
        self.make()
        for _ in range(steps):
            act: Callable[[], Any] = self.rng.choice(
                [
                    *(self.start, self.score, self.score, self.score, self.happen, self.leave, self.read),
                    *(self.tag, self.note, self.end, self.make, self.make, self.point, self.point),
                    *(self.point, self.unpoint, self.tag_model, self.note_model, self.delete),
                    *(self.delete_model, self.restore),
                ]
            )
            try:
                act()
            except ConfigError:
                continue

    def run_id(self) -> str:
        return self.rng.choice(self.ids)

    def uri(self) -> str:
        name, version = self.rng.choice(self.models)
        return f"{name}/{version}"

    def word(self) -> str:
        return self.rng.choice(WORDS)

    def scores(self) -> list[Score]:
        return [
            Score(
                metric=self.rng.choice(["bleu", "wer", "speaker=ann/wer"]),
                value=self.rng.choice(VALUES),
                split=self.rng.choice(["valid", "test"]),
                step=self.rng.choice([0, 1, 2, 2**40]),
                signature=self.rng.choice(["", "nrefs:1|ä"]),
                parts=self.rng.choice([{}, {"words": 3, "hits": 2}]),
            )
            for _ in range(self.rng.randint(1, 4))
        ]

    def start(self) -> None:
        folder = self.runs / f"r{len(self.ids):03}"
        folder.mkdir(parents=True)
        run = self.registry.start_run(
            id=folder.name,
            kind=self.rng.choice(["train", "evaluate", "decode", "import"]),
            name=self.word(),
            task="translation",
            config={"train": {"steps": self.rng.randint(0, 9), "rate": 1e-5}, "z": [None, True], "ä": {}},
            seed=self.rng.getrandbits(62),
            device="cpu",
            device_reason=self.word(),
            versions={"python": "3.11.7"},
            environment={"cpu": self.word(), "cores": "2"},
            git=self.rng.choice([{}, {"commit": "0123abc", "dirty": "yes"}]),
            data=self.files(),
            folder=str(folder),
            model=self.rng.choice([None, "models:/de-en/1"]),
        )
        self.ids.append(run.id)

    def files(self) -> list[DataFile]:
        contents = [self.rng.randint(0, 3) for _ in range(2)]
        return [
            DataFile(
                path=path, sha256=f"sha{content}", split=split, bytes=10 * content, rows=content or None
            )
            for path, content in zip(("a.txt", "b ä.txt"), contents, strict=True)
            for split in [self.rng.choice(["train", "", "test"])]
        ]

    def score(self) -> None:
        self.registry.add_scores(self.run_id(), self.scores())

    def happen(self) -> None:
        self.registry.add_event(self.run_id(), "skipped", {"step": 3, "why": self.word(), "x": [1.5, None]})

    def leave(self) -> None:
        path = f"/left/{self.rng.randint(0, 2)}"
        self.registry.add_artefact(self.run_id(), kind="samples", path=path, sha256="c0", size_bytes=2**40)

    def read(self) -> None:
        self.registry.add_data(self.run_id(), self.files())

    def tag(self) -> None:
        value = self.rng.choice(["yes", None, "ä '"])
        self.registry.tag_run(self.run_id(), {self.rng.choice("abc"): value})

    def note(self) -> None:
        self.registry.note_run(self.run_id(), self.word(), at=self.rng.choice([None, MOMENT]))

    def end(self) -> None:
        status = self.rng.choice(["finished", "failed", "interrupted"])
        self.registry.end_run(self.run_id(), status, self.rng.choice([None, self.word()]))

    def make(self) -> None:
        run_id, name = self.run_id(), self.rng.choice(NAMES)
        folder = self.runs / run_id / f"model{len(self.models)}"
        sha256 = write_model(folder)
        made = self.registry.add_model(name, "translation", run_id, str(folder), sha256, self.scores())
        self.models.append((name, made.version))

    def point(self) -> None:
        name, version = self.rng.choice(self.models)
        self.registry.set_alias(name, version, self.rng.choice(ALIASES))

    def unpoint(self) -> None:
        self.registry.remove_alias(self.rng.choice(NAMES), self.rng.choice(ALIASES))

    def tag_model(self) -> None:
        self.registry.tag_model(self.uri(), {self.rng.choice("abc"): self.rng.choice(["yes", None])})

    def note_model(self) -> None:
        self.registry.note_model(self.uri(), self.word())

    def delete(self) -> None:
        self.registry.delete_run(self.run_id())

    def delete_model(self) -> None:
        self.registry.delete_model(self.uri())

    def restore(self) -> None:
        if self.rng.random() < 0.5:
            self.registry.restore_run(self.run_id())
        else:
            self.registry.restore_model(self.uri())


def write_model(folder: Path) -> str:
    """A folder with a manifest of its own; its sha256."""
    folder.mkdir(parents=True)
    text = json.dumps({"sha256": {"made.by": str(folder)}})
    (folder / "manifest.json").write_text(text)
    return hashlib.sha256(text.encode()).hexdigest()


def facts_of(registry: Registry) -> list[str]:
    """All that can be asked of a registry, a line for each answer; NaN is itself in it."""
    runs, models = registry.runs(deleted=True), registry.models(deleted=True)
    found = [*map(repr, runs), *map(repr, models)]
    for run in runs:
        found += [f"{run.id} {each!r}" for each in (*registry.events(run.id), *registry.artefacts(run.id))]
        found.append(_answer(lambda uri=f"runs:/{run.id}": registry.model(uri)))
    for name in sorted({model.name for model in models}):
        found += map(repr, registry.alias_history(name))
        for alias in ALIASES:
            found.append(_answer(lambda uri=f"{name}@{alias}": registry.model(uri)))
        found.append(_answer(lambda uri=name: registry.model(uri)))
    for query in (
        "bleu > 1",
        "max(wer) is null",
        "config.train.steps > 3",
        "alias = 'champion'",
        "data_sha256 = 'sha1'",
    ):
        found.append(_answer(lambda query=query: [run.id for run in registry.runs(query, deleted=True)]))
    return found


def _answer(ask: Callable[[], Any]) -> str:
    try:
        return repr(ask())
    except SeqloomError as error:
        return str(error)
