"""Signals at random moments: whatever a training is at, it goes on from there, and ends the same."""

from __future__ import annotations

import hashlib
import random
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from seqloom.checkpoint import Checkpoints

STEPS_A_SIGNAL = 60
OPTIONS = ("evaluate.every=10", "evaluate.metrics=[bleu]", "train.accumulate=2", "train.batch_elements=64")


def weights(folder: Path) -> str:
    return hashlib.sha256((folder / "model" / "model.safetensors").read_bytes()).hexdigest()


def struck(place: Any, words: list[str], signum: int, delay: float) -> int:
    """Runs a command, sends its process a signal some seconds after its first step; its exit code."""

    def logged() -> int:
        return sum(file.stat().st_mtime_ns for file in place.folder.glob("runs/*/metrics.jsonl"))

    process = subprocess.Popen(
        place.command(*words), cwd=place.folder, env=place.environment, stderr=subprocess.DEVNULL
    )
    before = logged()
    while logged() == before and process.poll() is None:
        time.sleep(0.01)
    time.sleep(delay)
    process.send_signal(signum)
    return process.wait(timeout=300)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("signum", "count"),
    [
        (signal.SIGKILL, 2),
        pytest.param(signal.SIGKILL, 50, marks=pytest.mark.faults),
        pytest.param(signal.SIGTERM, 100, marks=pytest.mark.faults),
    ],
)
def test_struck_and_resumed_is_uninterrupted(workplace: Any, signum: int, count: int) -> None:
    rng = random.Random(1)
    options = [f"--set={option}" for option in (*OPTIONS, f"train.steps={STEPS_A_SIGNAL * count}")]
    train = ["train", "job.yaml", *options]
    words, strikes = train, 0
    while strikes < count:
        code = struck(workplace, words, signum, rng.uniform(0, 0.4))
        if code == 0:
            break
        assert code == (-signal.SIGKILL if signum == signal.SIGKILL else 128 + signum)
        (folder,) = (workplace.folder / "runs").glob("2*")
        if signum == signal.SIGTERM:
            checkpoints = Checkpoints(folder / "checkpoints")
            assert checkpoints.is_whole(checkpoints.steps()[-1])
        strikes += 1
        words = ["resume", folder.name]
    else:
        workplace.run(*words)
    assert strikes >= count / 2  # else there was little to see
    (folder,) = (workplace.folder / "runs").glob("2*")
    workplace.run(*train)
    assert weights(max((workplace.folder / "runs").glob("2*"))) == weights(folder)
