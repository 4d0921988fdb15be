"""Data workers through the command line: the same model, whatever their number and whatever becomes of them."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow
FAULTY = Path(__file__).parents[1] / "faulty"
OPTIONS = (
    "train.steps=120",
    "train.batch_elements=40",
    "train.accumulate=2",
    "evaluate.every=60",
    "inputs.source=faulty",
    "model.head=faulty",
)


@pytest.fixture
def workers(workplace: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that tells which processes varied an input; the first worker in it is killed."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(FAULTY), os.environ.get("PYTHONPATH", "")]))
    folder: Path = workplace.folder / "workers"
    folder.mkdir()
    monkeypatch.setenv("FAULTY_WORKERS", str(folder))
    return folder


def weights(place: Any) -> str:
    folder = max((place.folder / "runs").glob("2*"))
    return hashlib.sha256((folder / "model" / "model.safetensors").read_bytes()).hexdigest()


def has_ended(process: int) -> bool:
    """Whether a process is gone, or is nothing but its exit code, which nobody has fetched yet."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_workers_killed_and_trainings_killed_change_nothing(
    workplace: Any, workers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = ("train", "job.yaml", *(f"--set={option}" for option in OPTIONS))
    monkeypatch.setenv("FAULTY_SIGNAL", "SIGKILL train 100 0")
    error = workplace.run(*train, "--set=data.workers=2", code=-9).stderr
    assert "ended (signal 9) and is started again" in error
    (folder,) = (workplace.folder / "runs").glob("2*")
    lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    assert [line["event"] for line in lines if "event" in line] == ["delayed"]
    seen = [int(path.name) for path in workers.iterdir() if path.name != "killed"]
    assert len(seen) >= 3  # the training's own process and both workers
    end = time.monotonic() + 60
    while not all(map(has_ended, seen)):
        assert time.monotonic() < end, "a worker outlives its training"
        time.sleep(0.05)

    monkeypatch.delenv("FAULTY_SIGNAL")
    assert "make batches ahead: 1" in workplace.run("resume", folder.name, "--workers=1").stderr
    resumed = weights(workplace)
    assert "batches" not in workplace.run(*train).stderr
    assert weights(workplace) == resumed
