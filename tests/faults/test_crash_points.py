"""Every point at which a save touches the disk: killed there, or refused there, no checkpoint is lost."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from seqloom.checkpoint import Checkpoints

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("strace") is None, reason="to strike a system call takes strace"),
]
READING = {"read", "lseek", "close", "fcntl", "ioctl", "getcwd", "getdents64", "mmap"}
READING |= {"stat", "fstat", "newfstatat", "statx"}
"""System calls that change nothing on the disk."""
FIRST = "save {} 1 10"
BESIDE = "save {} 2 20"
REPLACED = "save {} 1 20"
"""What a saver is told: the folder, the step, and what the checkpoint is filled with."""


class Saver:
    """Acts on checkpoints in children under strace.

    Args:
        parent: Forks them.
        trace: A file that strace may write.
    """

    def __init__(self, parent: Any, trace: Path) -> None:
        self.parent = parent
        self.trace = trace

    def __call__(self, line: str, *options: str) -> int:
        """A child's exit code; minus a signal's number where that ended it."""
        child = self.parent.child(line)
        words = ["strace", "-f", "-o", self.trace, *(f"-e{option}" for option in options), "-p", str(child)]
        with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as strace:
            assert strace.stderr
            first = strace.stderr.readline()
            self.parent.wake(child)
            assert "attached" in first, first + strace.stderr.read()
        return int(self.parent.exit_code())

    def strike(self, line: str, call: str, number: str, fault: str) -> int:
        """The exit code of a child struck at a system call: its third (``3``), or from there on (``3+``)."""
        return self(line, f"trace={call}", f"inject={call}:{fault}:when={number}")

    def points(self, line: str) -> list[tuple[str, int]]:
        """Each system call by which an action may change the disk, and its number among those of its name."""
        assert self(line, "trace=%file,%desc") == 0
        made = re.findall(r"^\d+ +(\w+)\(", self.trace.read_text(), flags=re.MULTILINE)
        calls = Counter(name for name in made if name not in READING)
        return [(name, number) for name, count in calls.items() for number in range(1, count + 1)]


@pytest.fixture(scope="module")
def saver(parent: Any, tmp_path_factory: pytest.TempPathFactory) -> Saver:
    return Saver(parent("saver.py"), tmp_path_factory.mktemp("saver") / "trace")


Fresh = Callable[[], Path]


@pytest.fixture
def first(saver: Saver, tmp_path: Path) -> Fresh:
    """Makes the same folder anew: it has the first checkpoint."""
    return fresh(tmp_path, saver, FIRST)


def fresh(folder: Path, saver: Saver, *lines: str) -> Fresh:
    kept, copy = folder / "kept", folder / "checkpoints"
    for line in lines:
        assert saver(line.format(kept)) == 0

    def make() -> Path:
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(kept, copy)
        return copy

    return make


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def recovered(folder: Path) -> int:
    """What the newest checkpoint is filled with, once all is in order, as it then is."""
    checkpoints = Checkpoints(folder)
    checkpoints.recover()
    assert names(folder) <= {"00000001", "00000002"}
    assert all(checkpoints.is_whole(step) for step in checkpoints.steps())
    step = checkpoints.newest()
    optimizer = torch.optim.Adam(torch.nn.Linear(30, 20).parameters())
    found: int = checkpoints.restore(step, optimizer)["fill"]
    assert checkpoints.weights(step)["weight"].eq(found).all()
    for state in optimizer.state.values():
        assert state["exp_avg"].allclose(torch.tensor(0.1 * found))
    return found


# Killed ------------------------------------------------------------------------------------------------

LONG = pytest.mark.faults


@pytest.mark.parametrize(
    ("line", "calls"),
    [
        (REPLACED, "rename fsync"),
        pytest.param(BESIDE, "", marks=LONG, id="beside"),
        pytest.param(REPLACED, "", marks=LONG, id="replaced"),
    ],
)
def test_killed_anywhere_in_a_save(saver: Saver, first: Fresh, line: str, calls: str) -> None:
    found = []
    for call, number in saver.points(line.format(first())):
        if not calls or call in calls.split():
            folder = first()
            code = saver.strike(line.format(folder), call, str(number), "signal=KILL")
            assert code == -signal.SIGKILL, (call, number)
            found.append(recovered(folder))
    print(
        f"{line}: {len(found)} points; then {found.count(10)} times the old one, {found.count(20)} the new"
    )
    assert set(found) == {10, 20}


@LONG
def test_killed_anywhere_in_making_room(saver: Saver, tmp_path: Path) -> None:
    both = fresh(tmp_path, saver, FIRST, BESIDE)
    for call, number in saver.points(f"prune {both()} 2"):
        folder = both()
        assert saver.strike(f"prune {folder} 2", call, str(number), "signal=KILL") == -signal.SIGKILL
        assert recovered(folder) == 20


@LONG
def test_killed_anywhere_in_putting_it_in_order(saver: Saver, first: Fresh) -> None:
    def halfway() -> Path:
        """With the old one out of its place, and the new one not in it yet."""
        folder = first()
        saver.strike(REPLACED.format(folder), "rename", "2", "signal=KILL")
        assert names(folder) == {".00000001.old", ".00000001.new"}
        return folder

    for call, number in saver.points(f"recover {halfway()}"):
        folder = halfway()
        assert saver.strike(f"recover {folder}", call, str(number), "signal=KILL") == -signal.SIGKILL
        assert recovered(folder) == 10


# Refused -----------------------------------------------------------------------------------------------

CLEANING = ("openat", "rename", "unlinkat", "rmdir")
"""What it takes to clear up: where that is refused for good, it is done when the disk is back."""


@pytest.mark.parametrize("line", [pytest.param(BESIDE, marks=LONG, id="beside"), REPLACED])
@pytest.mark.parametrize(
    "then", [pytest.param("", marks=LONG, id="once"), pytest.param("+", id="ever since")]
)
@pytest.mark.parametrize(
    ("fault", "calls"),
    [
        ("ENOSPC", "write"),
        ("EIO", "fsync"),
        pytest.param("ENOSPC", "mkdir ftruncate renameat", marks=LONG),
        pytest.param("EIO", "write rename", marks=LONG),
        pytest.param("EROFS", "openat mkdir renameat rename unlinkat rmdir", marks=LONG),
    ],
)
def test_refused_anywhere_in_a_save(
    saver: Saver, first: Fresh, line: str, then: str, fault: str, calls: str
) -> None:
    for call, number in saver.points(line.format(first())):
        if call in calls.split():
            folder = first()
            code = saver.strike(line.format(folder), call, f"{number}{then}", f"error={fault}")
            assert "(INJECTED)" in saver.trace.read_text()
            if code == 0:  # it could not remove the old one, that is all
                assert call in CLEANING
                assert recovered(folder) == 20
            else:
                assert code == 74, (call, number)
                assert call in CLEANING or names(folder) == {"00000001"}, (call, number)
                assert recovered(folder) == 10
