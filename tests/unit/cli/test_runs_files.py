"""``seqloom runs rm``, ``tail`` and ``note``."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from seqloom.cli.runs_files import told
from seqloom.following import FILE
from seqloom.site import alone

Shelf = Any
Seqloom = Callable[..., Result]

LINES = (
    {
        "step": 1,
        "loss": 4.70625,
        "learning_rate": 1e-05,
        "targets_per_second": 10412.0,
        "peak_memory_bytes": 1048576,
    },
    {"step": 1, "event": "skipped", "reason": "its loss\nwas nan"},
    {"step": 2, "scores": {"bleu": 31.25, "ppl": None}},
)


@pytest.fixture
def logged(shelf: Shelf) -> Any:
    """A run that has written these lines and ended well."""
    run = shelf.run()
    (Path(run.folder) / FILE).write_text("".join(json.dumps(line) + "\n" for line in LINES))
    return shelf.registry.end_run(run.id, "finished")


def test_runs_are_deleted_and_come_back(shelf: Shelf, commands: Seqloom) -> None:
    first, second = shelf.run(), shelf.run()
    done = commands("runs", "rm", first.id, second.id)
    assert done.stderr == "".join(f"{run.id} is deleted; --undo takes it back\n" for run in (first, second))
    assert commands("runs", "list").stderr == "no runs\n"
    rows = [line.split()[:3] for line in commands("runs", "list", "--deleted").stdout.splitlines()[1:]]
    assert sorted(rows) == sorted([run.id, "train", "deleted"] for run in (first, second))
    assert "deleted" in commands("runs", "show", first.id).stdout
    assert commands("runs", "rm", "--undo", first.id).stderr == f"{first.id} is back\n"
    assert [run.id for run in shelf.registry.runs()] == [first.id]
    assert "is not deleted" in commands("runs", "rm", "--undo", first.id, code=78).stderr
    assert "was deleted at" in commands("runs", "rm", second.id, code=78).stderr


def test_a_run_that_goes_on_is_not_deleted(shelf: Shelf, commands: Seqloom) -> None:
    idle, busy = shelf.run(), shelf.run()
    with alone(Path(busy.folder)):
        refused = commands("runs", "rm", idle.id, busy.id, code=75)
    assert (
        refused.stderr
        == f"error: run {busy.id} goes on: a process works in {busy.folder}; stop it, or wait\n"
    )
    assert len(shelf.registry.runs()) == 2


def test_a_run_gets_notes(shelf: Shelf, commands: Seqloom) -> None:
    run = shelf.run()
    assert commands("runs", "note", run.id, "loss rises").stderr == f"{run.id} has 1 note\n"
    assert commands("runs", "note", run.id, "two\nlines").stderr == f"{run.id} has 2 notes\n"
    assert commands("runs", "note", run.id, " ", code=78).stderr.startswith("error: ' ' is no note")
    shown = [line.split() for line in commands("runs", "show", run.id).stdout.splitlines()]
    assert [line[4:] for line in shown if line[:2] == ["note", "of"]] == [["loss", "rises"], ["two"]]
    told = json.loads(commands("runs", "show", run.id, "--json").stdout)["notes"]
    assert [one["text"] for one in told] == ["loss rises", "two\nlines"]


def test_a_run_that_has_ended_is_told(logged: Any, commands: Seqloom) -> None:
    tail = commands("runs", "tail", logged.id)
    assert tail.stdout.splitlines() == [
        "step 1: loss 4.706, learning rate 1e-05, targets per second 10,412, peak memory bytes 1,048,576",
        "step 1: skipped: its loss was nan",
        "step 2: bleu 31.25, ppl nan",
    ]
    assert tail.stderr == f"run {logged.id} finished after 0:00:00\n"
    last = commands("runs", "tail", logged.id[:-1], "-n", "1", "--json").stdout
    assert [json.loads(line) for line in last.splitlines()] == [LINES[-1]]
    assert commands("runs", "tail", logged.id, "-n", "0").stdout == ""


def test_how_a_run_ended_is_told(shelf: Shelf, logged: Any, commands: Seqloom) -> None:
    shelf.registry.end_run(logged.id, "failed", "DivergedError: loss is nan")
    assert commands("runs", "tail", logged.id).stderr.endswith(
        " failed after 0:00:00: DivergedError: loss is nan\n"
    )
    shelf.registry.reopen_run(logged.id)
    (Path(logged.folder) / ".lock").touch()  # left by a process that was killed
    gone = f"run {logged.id} has no process any more; `seqloom resume {logged.id}` goes on with it\n"
    assert commands("runs", "tail", logged.id).stderr == gone
    assert "Is a directory" not in commands("runs", "tail", "x", code=78).stderr


@pytest.mark.parametrize("line", ["", "{", "[1]", "7", '{"loss": 1}', "\ufffd"])
def test_lines_of_others_are_told_as_they_are(line: str) -> None:
    assert told(line) == line


@pytest.mark.slow
@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_following_is_live_and_ends_with_a_signal(shelf: Shelf, signum: int, code: int) -> None:
    run = shelf.run()
    file = Path(run.folder) / FILE
    file.write_text(json.dumps(LINES[0]) + "\n")
    program = "from seqloom.cli.main import main; main()"
    with alone(Path(run.folder)):
        process = subprocess.Popen(
            [sys.executable, "-c", program, "runs", "tail", run.id, "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            assert process.stdout
            assert process.stderr
            assert json.loads(process.stdout.readline()) == LINES[0]
            with file.open("a") as stream:
                stream.write(json.dumps(LINES[1]) + "\n")
            assert json.loads(process.stdout.readline()) == LINES[1]  # it waits for more now
            process.send_signal(signum)
            assert process.wait(timeout=60) == code
            assert "Traceback" not in process.stderr.read()
