"""Every point at which a save touches the disk: killed there, or refused there, no checkpoint is lost."""

from __future__ import annotations

import shutil
import signal
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
FIRST = "save {} 1 10"
BESIDE = "save {} 2 20"
REPLACED = "save {} 1 20"
"""What a saver is told: the folder, the step, and what the checkpoint is filled with."""


Saver = Any


@pytest.fixture(scope="module")
def saver(struck: Any) -> Saver:
    """Acts on checkpoints."""
    return struck("saver.py")


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
