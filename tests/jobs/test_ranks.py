"""Several processes train as one would: shares of each batch, one set of files, one end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from seqloom.checkpoint import Checkpoints
from seqloom.registry.store import Registry

pytestmark = pytest.mark.slow
FAULTY = Path(__file__).parents[1] / "faulty"
STILL = ("model.encoder.dropout=0", "model.decoder.dropout=0")


class Ended(NamedTuple):
    """How a rank ended."""

    code: int
    stdout: str
    stderr: str


@pytest.fixture
def faulty(workplace: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The workplace, its processes with the plugin that fails on demand."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(FAULTY), os.environ.get("PYTHONPATH", "")]))
    return workplace


def sets(*options: str) -> list[str]:
    return [f"--set={option}" for option in options]


def head(**options: Any) -> str:
    return "model.head=" + json.dumps({"name": "faulty", **options})


def start(place: Any, *arguments: object, fault: str = "none 0") -> list[subprocess.Popen[str]]:
    """Starts two ranks of a command as a launcher does; the second gets a signal where the fault says."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    world = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    own = [{"RANK": "0", "LOCAL_RANK": "0"}, {"RANK": "1", "LOCAL_RANK": "1", "FAULTY_SIGNAL": fault}]
    return [
        subprocess.Popen(
            [sys.executable, "-m", "seqloom", *map(str, arguments)],
            cwd=place.folder,
            env=place.environment | world | rank,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in own
    ]


def end(ranks: list[subprocess.Popen[str]]) -> list[Ended]:
    """Waits for ranks; a traceback is never what a user sees."""
    told = [rank.communicate(timeout=240) for rank in ranks]
    ended = [Ended(rank.returncode, *words) for rank, words in zip(ranks, told, strict=True)]
    assert not any("Traceback" in rank.stderr for rank in ended)
    return ended


def run(place: Any, *arguments: object, code: int = 0, fault: str = "none 0") -> Ended:
    """Runs a command on two ranks, of which the first alone speaks, and which end alike."""
    first, second = end(start(place, *arguments, fault=fault))
    assert (first.code, second) == (code, Ended(code, "", "")), first.stderr + second.stderr
    return first


def run_folder(place: Any) -> Path:
    """That of the newest run."""
    return max((place.folder / "runs").glob("2*"))


def records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def losses(folder: Path) -> dict[int, float]:
    return {record["step"]: record["loss"] for record in records(folder) if "loss" in record}


def await_step(folder: Path, ranks: list[subprocess.Popen[Any]]) -> None:
    """Waits until a training in a folder of runs has logged a step."""
    while not any(file.stat().st_size for file in folder.glob("2*/metrics.jsonl")):
        assert all(rank.poll() is None for rank in ranks)
        time.sleep(0.02)


def test_two_train_as_one_and_go_on_as_one_and_as_two(
    faulty: Any, site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hundred steps of one process, and those of two, then one, then two."""
    job = ("train.steps=100", "train.learning_rate=0.003", "evaluate.every=50", "evaluate.metrics=[bleu]")
    train = ("train", "job.yaml", *sets(*job, *STILL, "decode.batch_size=2", head()))
    faulty.run(*train)
    alone = run_folder(faulty)
    told = run(faulty, *train, code=143, fault="SIGTERM train 54 0")
    assert "stopped at step 55; its checkpoint is saved" in told.stderr
    shared = run_folder(faulty)
    assert shared != alone
    monkeypatch.setenv("FAULTY_SIGNAL", "SIGINT train 59 0")
    faulty.run("resume", shared.name, code=130)
    monkeypatch.delenv("FAULTY_SIGNAL")
    assert run(faulty, "resume", shared.name).stdout == "models:/reverser/2\n"

    assert losses(shared).keys() == set(range(1, 101))
    assert losses(shared) == pytest.approx(losses(alone), rel=0, abs=1e-5)
    judged = [
        [record["scores"] for record in records(run) if "scores" in record] for run in (alone, shared)
    ]
    assert [score["bleu"] for score in judged[1]] == [score["bleu"] for score in judged[0]]
    for one, two in zip(*judged, strict=True):
        assert two == pytest.approx(one, rel=1e-4)
    files = [
        {path.relative_to(run) for path in run.rglob("*") if "checkpoints" not in path.parts}
        for run in (alone, shared)
    ]
    assert files[0] == files[1]
    status = site.registry.run(shared.name)
    assert (status.status, status.device) == ("finished", "cpu")
    assert status.device_reason.endswith("; 2 ranks")
    assert len(site.registry.runs()) == 2


@pytest.mark.faults
def test_a_poisoned_example_costs_all_ranks_its_step(faulty: Any) -> None:
    """And an example alone in its batch leaves a rank without a share."""
    told = run(
        faulty, "train", "job.yaml", *sets("train.batch_elements=12", "train.steps=40", head(nan_loss=[7]))
    )
    skipped = [record for record in records(run_folder(faulty)) if "event" in record]
    assert skipped
    for event in skipped:
        assert 7 in event["ids"]
        assert f"step {event['step']} was skipped: the loss is nan" in told.stderr
    assert all(loss < 100 for loss in losses(run_folder(faulty)).values())


@pytest.mark.faults
def test_a_rank_that_dies_is_missed(workplace: Any) -> None:
    ranks = start(workplace, "train", "job.yaml", *sets("train.steps=100000", "evaluate.every=100000"))
    await_step(workplace.folder / "runs", ranks)
    ranks[1].kill()
    first, _ = end(ranks)
    assert first.code == 69
    assert "another process of this training ended" in first.stderr
    with Registry(workplace.registry) as registry:
        assert registry.run(run_folder(workplace).name).status == "failed"


@pytest.mark.faults
@pytest.mark.parametrize(
    ("job", "code", "told"),
    [
        ("train.batch_elements=1", 65, "raise that to"),  # found by all
        ("train.stepz=1", 78, "Did you mean 'steps'"),  # by rank 0
    ],
)
def test_mistakes_end_all_ranks_and_are_told_once(workplace: Any, job: str, code: int, told: str) -> None:
    first = run(workplace, "train", "job.yaml", *sets(job), code=code)
    assert told in first.stderr


@pytest.mark.faults
def test_a_launcher_that_is_stopped_leaves_a_checkpoint(workplace: Any, site: Any) -> None:
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    options = sets("train.steps=100000", "evaluate.every=100000")
    launcher = subprocess.Popen(
        [sys.executable, *torchrun, "-m", "seqloom", "train", "job.yaml", *options],
        cwd=workplace.folder,
        env=workplace.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    await_step(workplace.folder / "runs", [launcher])
    launcher.send_signal(signal.SIGTERM)
    _, told = launcher.communicate(timeout=240)
    assert told.count("its checkpoint is saved") == 1
    folder = run_folder(workplace)
    (step,) = Checkpoints(folder / "checkpoints").steps()
    assert f"stopped at step {step}" in told
    assert site.registry.run(folder.name).status == "interrupted"


def test_verbs_that_share_nothing_refuse_to_be_many(
    workplace: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert "train and resume" in workplace.run("translate", "models:/reverser/1", "1 2", code=2).stderr
    error = workplace.run("train", "job.yaml", code=78).stderr
    assert "RANK, LOCAL_RANK, MASTER_ADDR, MASTER_PORT is not set" in error


@pytest.mark.faults
def test_an_example_that_fits_no_rank_is_named_once(faulty: Any) -> None:
    """One rank wants too much memory; the other, which has enough, ends as it does."""
    mebi = 2**20
    fault = head(headroom=512 * mebi, appetite=1024 * mebi)
    first = run(faulty, "train", "job.yaml", *sets("train.batch_elements=1000", fault), code=74)
    assert "memory does not suffice for training example" in first.stderr
