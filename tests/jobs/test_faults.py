"""Faults in a training through the command line: poison, want of memory, signals, disks, a registry away."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from seqloom.checkpoint import Checkpoints
from seqloom.registry.store import Registry

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


def test_poisoned_examples_cost_their_steps_and_no_more(faulty: Any) -> None:
    small = ("train.batch_elements=40", "train.steps=10", "evaluate.every=5")
    fault = head(nan_loss=[7], infinite_gradient=[3])
    done = faulty.run("train", "job.yaml", *sets(*small, fault))
    skipped = events(run_folder(faulty))
    reasons = {event["reason"].partition(", of examples")[0] for event in skipped}
    assert reasons == {"the loss is nan", "the gradient's norm is inf"}
    for event in skipped:
        assert event["event"] == "skipped"
        assert (7 if "loss" in event["reason"] else 3) in event["ids"]
        assert len(event["ids"]) < 40
        assert event["places"] == [f"{faulty.folder / 'train.src'}:{id_ + 1}" for id_ in event["ids"]]
        assert f"{event['ids'][0]} ({event['places'][0]})" in event["reason"]
        assert f"step {event['step']} was skipped: {event['reason']}" in done.stderr
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
    (id_, line) = re.search(rf"example (\d+) \({faulty.folder}/train\.src:(\d+)\) alone", error).groups()
    assert int(line) == int(id_) + 1
    assert site.registry.run(run_folder(faulty).name).status == "failed"


# Signals -----------------------------------------------------------------------------------------------


def struck(place: Any, monkeypatch: pytest.MonkeyPatch, fault: str, code: int, *words: str) -> str:
    """Runs a command whose process gets a signal at a place; returns what it says."""
    monkeypatch.setenv("FAULTY_SIGNAL", fault)
    error: str = place.run(*words, code=code).stderr
    monkeypatch.delenv("FAULTY_SIGNAL")
    return error


def weights(folder: Path) -> str:
    return hashlib.sha256((folder / "model" / "model.safetensors").read_bytes()).hexdigest()


def test_signals_while_it_is_made_ready_evaluated_decoded_and_averaged(
    faulty: Any, site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One run meets five, the last of them kill -9, and ends as one that met none."""
    options = sets("train.average=2", "evaluate.metrics=[bleu]", "decode.batch_size=2", head())
    train = ("train", "job.yaml", *options)
    error = struck(faulty, monkeypatch, "SIGINT build 0", 130, *train)
    assert "nothing to save" in error
    folder = run_folder(faulty)
    resume = ("resume", folder.name)
    assert site.registry.run(folder.name).status == "interrupted"
    error = struck(faulty, monkeypatch, "SIGTERM evaluate 2 0", 143, *resume)
    assert "stopped while step 2 was evaluated; its checkpoint is saved" in error
    assert site.registry.run(folder.name).scores == ()
    error = struck(faulty, monkeypatch, "SIGINT predict 4", 130, *resume)  # after the three of step 2
    assert "stopped while step 4 was evaluated" in error
    assert {score.step for score in site.registry.run(folder.name).scores} == {2}
    struck(faulty, monkeypatch, "SIGKILL evaluate 4 4", -9, *resume)  # the mean's evaluation
    struck(faulty, monkeypatch, "SIGTERM evaluate 4 1", 143, *resume)  # the same
    assert site.registry.run(folder.name).status == "interrupted"
    faulty.run(*resume)
    assert site.registry.run(folder.name).status == "finished"
    faulty.run(*train)
    assert weights(run_folder(faulty)) == weights(folder)


# Disks -------------------------------------------------------------------------------------------------


def test_a_full_disk_and_a_damaged_checkpoint_cost_the_steps_since_the_one_before(
    faulty: Any, site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = ("train", "job.yaml", *sets("train.steps=6", "train.keep=3", "model.width=128", head()))
    monkeypatch.setenv("FAULTY_DISK", "400000 3")  # bytes: the registry fits, a checkpoint does not
    error = faulty.run(*train, code=74).stderr
    folder = run_folder(faulty)
    assert "checkpoints/00000004: cannot save it: " in error
    assert "File too large" in error
    assert [path.name for path in (folder / "checkpoints").iterdir()] == ["00000002"]
    assert site.registry.run(folder.name).status == "failed"
    monkeypatch.delenv("FAULTY_DISK")
    struck(faulty, monkeypatch, "SIGTERM train 5 0", 143, "resume", folder.name)
    damaged = folder / "checkpoints" / "00000006" / "optimizer.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:-1])
    error = faulty.run("resume", folder.name).stderr
    assert "the checkpoint of step 6 is passed over" in error
    assert "optimizer.safetensors: its bytes are not those that were saved" in error
    assert [record["step"] for record in records(folder) if "loss" in record] == list(range(1, 7))
    faulty.run(*train)
    assert weights(run_folder(faulty)) == weights(folder)


@pytest.mark.faults
def test_a_disk_without_room_leaves_the_old_checkpoint(
    faulty: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(runs)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"a small disk needs mount: {mounted.stderr.decode().strip()}")
    try:
        wide = sets("model.width=128", "train.steps=40", "evaluate.every=1", "train.keep=40", head())
        error = faulty.run("train", "job.yaml", *wide, code=74).stderr
        assert "No space left on device" in error
        checkpoints = Checkpoints(run_folder(faulty) / "checkpoints")
        steps = checkpoints.steps()
        assert steps == list(range(1, len(steps) + 1))
        assert all(checkpoints.is_whole(step) for step in steps)
        assert all(path.name.isdecimal() for path in checkpoints.folder.iterdir())
    finally:
        subprocess.run(["umount", str(runs)], check=True)


# The registry ------------------------------------------------------------------------------------------


def test_a_registry_that_is_away_is_told_later(
    faulty: Any, site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = faulty.folder / "registry.db"
    monkeypatch.setenv("FAULTY_REGISTRY", f"{file} 1 99")
    train = ("train", "job.yaml", *sets("train.steps=6", head()))
    error = faulty.run(*train, code=74).stderr
    folder = run_folder(faulty)
    assert error.count("the registry is away, and training goes on") == 1
    assert "registry.db is not there any more" in error
    assert f"`seqloom resume {folder.name}` will enter it" in error
    assert (folder / "model" / "manifest.json").exists()
    lines = [json.loads(line) for line in (folder / "registry.jsonl").read_text().splitlines()]
    told = [line.get("kind", line["event"]) for line in lines]
    assert [one for one in told if one != "best"] == [
        *("started", "away", "scores", "scores", "scores"),
        *("checkpoint", "model", "finished", "end"),
    ]
    monkeypatch.delenv("FAULTY_REGISTRY")
    for part in ("", "-wal", "-shm"):
        if Path(f"{file}{part}.away").exists():
            Path(f"{file}{part}.away").rename(f"{file}{part}")
    assert faulty.run("resume", folder.name).stdout == "models:/reverser/1\n"
    assert not (folder / "registry.jsonl").exists()
    with Registry(faulty.registry) as registry:
        run = registry.run(folder.name)
        assert (run.status, run.error, run.model) == ("finished", None, "models:/reverser/1")
        assert sorted(score.step for score in run.scores if score.metric == "ppl") == [2, 4, 6]
        events = [event.kind for event in registry.events(run.id) if event.kind != "best"]
        assert events == ["started", "away", "finished", "back"]
        assert [left.kind for left in registry.artefacts(run.id)] == ["checkpoint"]
    assert "has finished" in faulty.run("resume", folder.name, code=2).stderr


def test_a_registry_that_comes_back_is_told_at_once(
    faulty: Any, site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAULTY_REGISTRY", f"{faulty.folder / 'registry.db'} 1 3")
    error = faulty.run("train", "job.yaml", *sets("train.steps=4", head())).stderr
    assert "the registry is back, and has been told what it missed" in error
    with Registry(faulty.registry) as registry:
        run = registry.run(run_folder(faulty).name)
    assert [score.step for score in run.scores if score.metric == "ppl"] == [2, 4]
