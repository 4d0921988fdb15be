"""Faults in a training through the command line: poison, want of memory, signals, disks, a registry away."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from seqloom.checkpoint import Checkpoints

pytestmark = pytest.mark.slow
FAULTY = Path(__file__).parents[1] / "faulty"
STILL = ("model.encoder.dropout=0", "model.decoder.dropout=0")


@pytest.fixture
def faulty(workplace: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The workplace, its processes with the plugin that fails on demand."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(FAULTY), os.environ.get("PYTHONPATH", "")]))
    return workplace


def head(**options: Any) -> str:
    return "model.head=" + json.dumps({"name": "faulty", **options})


def sets(*options: str) -> list[str]:
    return [f"--set={option}" for option in options]


def run_folder(place: Any) -> Path:
    """That of the newest run."""
    return max((place.folder / "runs").glob("2*"))


def records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def events(folder: Path) -> list[dict[str, Any]]:
    return [record for record in records(folder) if "event" in record]


# Poison ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("nan_loss", "the loss is nan"), ("infinite_gradient", "the gradient's norm is inf")],
)
def test_a_poisoned_example_costs_its_steps_and_no_more(faulty: Any, fault: str, reason: str) -> None:
    small = ("train.batch_elements=40", "train.steps=10", "evaluate.every=5")
    done = faulty.run("train", "job.yaml", *sets(*small, head(**{fault: [7]})))
    skipped = events(run_folder(faulty))
    assert skipped
    for event in skipped:
        assert event["event"] == "skipped"
        assert event["reason"].startswith(reason)
        assert 7 in event["ids"]
        assert len(event["ids"]) < 40
        assert f"step {event['step']} was skipped: {reason}" in done.stderr
    logged = {record["step"]: record["loss"] for record in records(run_folder(faulty)) if "loss" in record}
    assert logged.keys() == set(range(1, 11)) - {event["step"] for event in skipped}
    assert all(loss < 100 for loss in logged.values())


def test_ten_steps_of_poison_end_the_training(faulty: Any, site: Any) -> None:
    options = sets("train.steps=30", "evaluate.every=2", head(nan_steps=list(range(5, 30))))
    error = faulty.run("train", "job.yaml", *options, code=3).stderr
    assert "10 steps in a row were skipped, the last one, 15, as the loss is nan; lower train." in error
    folder = run_folder(faulty)
    assert site.registry.run(folder.name).status == "failed"
    assert [event["step"] for event in events(folder)] == list(range(6, 16))
    checkpoints = Checkpoints(folder / "checkpoints")
    assert checkpoints.steps() == [6, 12, 14]  # the best has the weights of step 5
    assert all(value.isfinite().all() for value in checkpoints.weights(14).values())
    error = faulty.run("resume", folder.name, code=3).stderr  # from step 14, the ninth in a row
    assert "the last one, 15, as the loss is nan" in error


# Memory ------------------------------------------------------------------------------------------------


MEBI = 2**20


def test_batches_are_halved_until_memory_suffices(faulty: Any, site: Any, job: Any) -> None:
    """40 examples want 64 MiB each, and 1 GiB there is."""
    whole = ("train.batch_elements=1000", "train.steps=3", *STILL)
    hungry = head(headroom=1024 * MEBI, appetite=64 * MEBI)
    done = faulty.run("train", "job.yaml", *sets(*whole, hungry))
    folder = run_folder(faulty)
    told = events(folder)
    assert [(event["step"], event["event"]) for event in told] == [(1, "split"), (2, "split"), (3, "split")]
    assert all(event["micro_batches"] >= 4 for event in told)
    assert done.stderr.count("memory sufficed for") == 3
    faulty.run("train", "job.yaml", *sets(*whole, head()))
    losses = [
        [record["loss"] for record in records(one) if "loss" in record]
        for one in (folder, run_folder(faulty))
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_an_example_that_does_not_fit_is_named(faulty: Any, site: Any) -> None:
    options = sets("train.batch_elements=1000", head(headroom=512 * MEBI, appetite=1024 * MEBI))
    error = faulty.run("train", "job.yaml", *options, code=74).stderr
    assert "memory does not suffice for training example" in error
    assert site.registry.run(run_folder(faulty).name).status == "failed"
