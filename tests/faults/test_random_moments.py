"""Signals at random moments: whatever a training is at, it goes on from there, and ends the same."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from seqloom.checkpoint import Checkpoints

FAULTY = Path(__file__).parents[1] / "faulty"
OPTIONS = ("train.steps=60", "train.accumulate=2", "train.batch_elements=64", "train.save_every=3")
OPTIONS += ("evaluate.every=10", "evaluate.metrics=[bleu]", "decode.batch_size=2", "model.head=faulty")
WORKERS = (0, 2)
TRACE = "trace"
DONE = 0
NOTHING_LEFT = 2
"""The exit code of a run that had come to its end when the signal came, and is told to go on."""


class Victim:
    """A training that is struck at random moments.

    Args:
        place: Where it takes place.
        parent: Forks its processes.
        signum: What strikes it.

    Attributes:
        met: What it was at, and how often.
    """

    def __init__(self, place: Any, parent: Any, signum: int) -> None:
        self.place = place
        self.parent = parent
        self.signum = signum
        self.met: Counter[str] = Counter()

    def strike(self, words: list[str], batches: int, seconds: float) -> int:
        """Runs a command, and strikes it so many batches and seconds after it began; its exit code."""
        (self.place.folder / TRACE).write_text("")
        child = self.begin(words)
        while len(self.lines()) <= batches and is_alive(child):
            time.sleep(0.005)
        time.sleep(seconds)
        with suppress(ProcessLookupError):  # it has come to its end
            os.kill(child, self.signum)
        at = self.at()
        code: int = self.parent.exit_code()
        if code not in {DONE, NOTHING_LEFT}:
            self.met[at] += 1
        return code

    def begin(self, words: list[str]) -> int:
        """The process that runs a command."""
        child: int = self.parent.child(json.dumps(words))
        self.parent.wake(child)
        return child

    def finish(self, words: list[str]) -> None:
        """Runs a command to its end."""
        self.begin(words)
        assert self.parent.exit_code() in {DONE, NOTHING_LEFT}

    def lines(self) -> list[str]:
        return (self.place.folder / TRACE).read_text().splitlines()

    def at(self) -> str:
        """What it is at, as far as its files tell."""
        if any(path.name.startswith(".") for path in self.place.folder.glob("runs/2*/checkpoints/*")):
            return "a save"
        *_, before, last = (line.split() for line in ["none", "none", *self.lines()])
        if last[0] != "train":
            return "an evaluation"
        if before[0] == "train" and before[2] != last[2]:
            return "an epoch's edge"
        return "an accumulation" if before[:2] == last[:2] else "a step"

    def runs(self) -> list[Path]:
        return sorted(self.place.folder.glob("runs/2*"))


def is_alive(child: int) -> bool:
    """Whether it is there, and its parent has not buried it yet."""
    return Path(f"/proc/{child}").exists()


def command(run: str | None, workers: int) -> list[str]:
    """Begins a training, or goes on with a run, with so many data workers."""
    if run is not None:
        return ["resume", run, f"--workers={workers}"]
    return ["train", "job.yaml", *(f"--set={option}" for option in (*OPTIONS, f"data.workers={workers}"))]


def weights(folder: Path) -> str:
    return hashlib.sha256((folder / "model" / "model.safetensors").read_bytes()).hexdigest()


def losses(folder: Path) -> list[tuple[int, float]]:
    """That of each step, as it was logged."""
    lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    return [(line["step"], line["loss"]) for line in lines if "loss" in line]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("signum", "count"),
    [
        (signal.SIGKILL, 2),
        pytest.param(signal.SIGKILL, 50, marks=pytest.mark.faults),
        pytest.param(signal.SIGTERM, 100, marks=pytest.mark.faults),
    ],
)
def test_struck_and_resumed_is_uninterrupted(
    workplace: Any, parent: Any, monkeypatch: pytest.MonkeyPatch, signum: int, count: int
) -> None:
    """Trainings are struck until there were as many strikes; each ends as one that was left alone.

    Each process has data workers or none, as it happens. An evaluation's ten steps make about forty batches.
    """
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(FAULTY), os.environ.get("PYTHONPATH", "")]))
    environment = workplace.environment | {"FAULTY_TRACE": TRACE}
    forks = parent("seqloom_child.py", cwd=workplace.folder, env=environment)
    victim, rng = Victim(workplace, forks, signum), random.Random(1)
    run: str | None = None
    while victim.met.total() < count:
        words = command(run, rng.choice(WORKERS))
        code = victim.strike(words, rng.randrange(40), rng.uniform(0, 0.05))
        folder = victim.runs()[-1]
        if code in {DONE, NOTHING_LEFT}:
            assert (folder / "model").is_dir()
            run = None
            continue
        assert code == (-signal.SIGKILL if signum == signal.SIGKILL else 128 + signum)
        if signum == signal.SIGTERM:
            checkpoints = Checkpoints(folder / "checkpoints")
            assert checkpoints.is_whole(checkpoints.steps()[-1])
        run = folder.name
    victim.finish(command(run, 0))
    victim.finish(command(None, 0))
    *struck, alone = victim.runs()
    print(f"{count} strikes of {len(struck)} trainings: {dict(victim.met)}")
    assert {weights(folder) for folder in struck} == {weights(alone)}
    assert all(losses(folder) == losses(alone) for folder in struck)
