"""A disk and a registry that are lost in the middle of a training, which waits for that to happen."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

import postgres
from seqloom.checkpoint import Checkpoints
from seqloom.errors import StorageError
from seqloom.registry.store import Registry

pytestmark = pytest.mark.slow
FAULTY = Path(__file__).parents[1] / "faulty"
ALL = ["started", "scores", "away", "scores", "scores", "scores", "checkpoint", "model", "finished", "end"]
"""What a training has to tell that loses its registry after its first evaluation."""
OPTIONS = ("--set=train.steps=8", "--set=model.head=faulty")


class Training:
    """A training that stops itself in its fourth step, and goes on when it is told to.

    Args:
        place: Where it takes place.
        registry: The URL of its registry.
    """

    def __init__(self, place: Any, registry: str) -> None:
        path = os.pathsep.join([str(FAULTY), os.environ.get("PYTHONPATH", "")])
        own = {"PYTHONPATH": path, "FAULTY_SIGNAL": "SIGSTOP train 3 0"}
        self.process = subprocess.Popen(
            place.command("--registry", registry, "train", "job.yaml", *OPTIONS),
            cwd=place.folder,
            env=place.environment | own,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        _, status = os.waitpid(self.process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        (self.folder,) = (place.folder / "runs").glob("2*")

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def end(self) -> tuple[int, str]:
        """The exit code, and what it said."""
        _, error = self.process.communicate()
        assert "Traceback" not in error
        return self.process.returncode, error

    def told(self) -> list[str]:
        """What it could not tell the registry, new best scores aside."""
        file = self.folder / "registry.jsonl"
        lines = file.read_text().splitlines() if file.exists() else []
        kinds = [line.get("kind", line["event"]) for line in map(json.loads, lines)]
        return [kind for kind in kinds if kind != "best"]


def check_registry(url: str, folder: Path) -> None:
    """It knows all of the training, and all once."""
    with Registry(url) as registry:
        run = registry.run(folder.name)
        assert (run.status, run.error, run.model) == ("finished", None, "models:/reverser/1")
        assert [score.step for score in run.scores if score.metric == "ppl"] == [2, 4, 6, 8]
        assert [model.version for model in registry.models()] == [1]
        events = [event.kind for event in registry.events(run.id) if event.kind != "best"]
        assert sorted(events) == ["away", "back", "finished", "started"]
    assert not (folder / "registry.jsonl").exists()


@contextmanager
def unwritable(file: Path) -> Iterator[None]:
    """Nobody may write it; root is held off by an attribute that not all file systems have."""
    is_root = os.geteuid() == 0
    locked, free = (["chattr", "+i"], ["chattr", "-i"]) if is_root else (["chmod", "a-w"], ["chmod", "u+w"])
    done = subprocess.run([*locked, file], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no file here can be made unwritable: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run([*free, file], check=True)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """The folder becomes a disk of its own that cannot be written."""
    mounted = subprocess.run(
        ["mount", "--bind", folder, folder], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a read-only disk needs mount: {mounted.stderr.strip()}")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_disk_that_turns_read_only_keeps_the_old_checkpoint(workplace: Any) -> None:
    training = Training(workplace, workplace.registry)
    checkpoints = Checkpoints(training.folder / "checkpoints")
    try:
        with read_only(checkpoints.folder):
            training.go_on()
            code, error = training.end()
    finally:
        training.process.kill()
    assert code == 74
    assert "checkpoints/00000004: cannot save it: Read-only file system" in error
    assert [path.name for path in checkpoints.folder.iterdir()] == ["00000002"]
    assert checkpoints.newest() == 2


@pytest.mark.faults
def test_a_registry_that_cannot_be_written_is_told_later(workplace: Any) -> None:
    training = Training(workplace, workplace.registry)
    try:
        with unwritable(workplace.folder / "registry.db.lock"):
            training.go_on()
            code, error = training.end()
    finally:
        training.process.kill()
    assert code == 74
    assert error.count("the registry is away, and training goes on") == 1
    assert "registry.db cannot be locked" in error
    assert training.told() == ALL
    workplace.run("resume", training.folder.name)
    check_registry(workplace.registry, training.folder)


@pytest.mark.faults
def test_a_registry_that_is_locked_for_long_is_told_later(workplace: Any) -> None:
    """The lock outlasts the minute that a writer waits; the rest of the training takes seconds."""
    training = Training(workplace, workplace.registry)
    try:
        with FileLock(workplace.folder / "registry.db.lock"):
            training.go_on()
            while not training.told() and training.process.poll() is None:
                time.sleep(0.05)
        code, error = training.end()
    finally:
        training.process.kill()
    assert code == 0
    assert error.count("the registry is away, and training goes on") == 1
    assert "has been locked by another process for more than 60 seconds" in error
    assert error.count("the registry is back, and has been told what it missed") == 1
    check_registry(workplace.registry, training.folder)


# A server ----------------------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[Any]:
    if reason := postgres.why_not():
        pytest.skip(reason)
    with postgres.running() as server:
        yield server


@pytest.mark.faults
def test_a_server_that_is_gone_is_told_later(workplace: Any, server: Any) -> None:
    training = Training(workplace, server.url())
    try:
        server.stop()
        training.go_on()
        code, error = training.end()
    finally:
        training.process.kill()
    assert code == 74
    assert error.count("the registry is away, and training goes on") == 1
    assert training.told() == ALL
    server.start()
    workplace.run("--registry", server.url(), "resume", training.folder.name)
    check_registry(server.url(), training.folder)


@pytest.mark.faults
def test_a_server_that_was_restarted_is_not_away(server: Any) -> None:
    with Registry(server.url()) as registry:
        assert registry.runs() == []
        server.stop()
        with pytest.raises(StorageError, match=r"cannot be reached; start its server, or name another"):
            registry.runs()
        server.start()
        assert registry.runs() == []
        server.stop()
        server.start()
        assert registry.runs() == []
