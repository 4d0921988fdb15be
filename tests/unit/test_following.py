"""A training is followed line by line, whatever happens to its file."""

from __future__ import annotations

import fcntl
import json
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from seqloom.errors import BusyError, ConfigError, StorageError
from seqloom.following import FILE, Lines, follow, goes_on
from seqloom.held import delete_runs
from seqloom.progress import MetricsLog
from seqloom.registry.holding import LOCK, is_held
from seqloom.site import alone

Shelf = Any


def line(step: int, loss: float = 1.0) -> str:
    return json.dumps({"step": step, "loss": loss}) + "\n"


def steps(lines: list[bytes]) -> list[int]:
    return [json.loads(one)["step"] for one in lines]


class Clock:
    """Time passes as somebody waits; then the next thing happens.

    Args:
        *events: What happens, one thing at each wait.
    """

    def __init__(self, *events: Any) -> None:
        self.events = [*events]
        self.waits = 0

    def pause(self, seconds: float) -> None:
        assert 0 < seconds < 1
        self.waits += 1
        assert self.waits < 100, "nobody ends this"
        if self.events:
            self.events.pop(0)()


def test_lines_come_as_they_are_written(tmp_path: Path) -> None:
    file = tmp_path / FILE
    lines = Lines(file)
    assert lines.new() == []  # there is no file yet
    file.write_text(line(1) + line(2) + '{"step": 3')
    assert steps(lines.new()) == [1, 2]  # the third is half written
    with file.open("a") as stream:
        stream.write("}\n" + line(4))
    assert steps(lines.new()) == [3, 4]
    assert lines.new() == []
    lines.close()


def test_a_file_that_is_replaced_is_not_told_twice(tmp_path: Path) -> None:
    file = tmp_path / FILE
    file.write_text("".join(map(line, range(1, 8))))
    lines = Lines(file)
    assert steps(lines.new()) == [1, 2, 3, 4, 5, 6, 7]
    log = MetricsLog(file, 4)  # as a training does that goes on from step 4
    assert lines.new() == []
    log.logged({"step": 5, "loss": 0.5})
    assert steps(lines.new()) == [5]
    log = MetricsLog(file, 5)
    log.logged({"step": 6, "loss": 0.4})  # both between two looks
    assert steps(lines.new()) == [6]
    file.write_text(line(1, 9.0))  # shorter, and the same file
    assert steps(lines.new()) == [1]
    file.unlink()
    assert lines.new() == []
    lines.close()


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(StorageError, match=r"metrics\.jsonl: cannot read it: Is a directory"):
        Lines(tmp_path / FILE).new()


def test_a_run_is_followed_until_it_ends(shelf: Shelf) -> None:
    run = shelf.run()
    log = MetricsLog(Path(run.folder) / FILE, 0)
    for step in (1, 2, 3):
        log.logged({"step": step})

    def end() -> None:
        log.logged({"step": 5})
        shelf.registry.end_run(run.id, "finished")

    clock = Clock(lambda: log.logged({"step": 4}), *[lambda: None] * 10, end)
    with alone(Path(run.folder)):
        assert steps(list(follow(shelf.registry, run, 2, clock.pause))) == [2, 3, 4, 5]
    assert clock.events == []
    for count, told in ((None, [1, 2, 3, 4, 5]), (0, []), (1, [5]), (99, [1, 2, 3, 4, 5])):
        assert steps(list(follow(shelf.registry, run, count))) == told  # it has ended: nobody waits


def test_following_ends_with_the_process(shelf: Shelf) -> None:
    run = shelf.run()
    (Path(run.folder) / FILE).write_text(line(1))
    with alone(Path(run.folder)):
        assert goes_on(shelf.registry, run)
        following = follow(shelf.registry, run, None, Clock().pause)
        assert steps([next(following)]) == [1]
    (Path(run.folder) / LOCK).touch()  # as one that is killed leaves it
    assert not goes_on(shelf.registry, run)
    assert list(following) == []
    assert shelf.registry.run(run.id).status == "running"


def test_a_run_that_was_never_held_goes_on_as_the_registry_says(shelf: Shelf) -> None:
    run = shelf.run("evaluate")
    assert goes_on(shelf.registry, run)
    shelf.registry.end_run(run.id, "finished")
    assert not goes_on(shelf.registry, run)


def test_a_registry_that_is_away_stops_nobody(shelf: Shelf) -> None:
    run = shelf.run()
    (Path(run.folder) / FILE).write_text(line(1))
    away = (shelf.folder / "registry.db").unlink
    with alone(Path(run.folder)):
        following = follow(shelf.registry, run, None, Clock(away, *[lambda: None] * 8, end).pause)
        assert steps([next(following)]) == [1]
        with pytest.raises(EnoughError):
            next(following)


class EnoughError(Exception):
    pass


def end() -> None:
    raise EnoughError


def test_what_cannot_be_followed_says_why(shelf: Shelf) -> None:
    run = shelf.run()
    shutil.rmtree(run.folder)
    with pytest.raises(StorageError, match=f"the folder of run {run.id} is not there; is it on another"):
        next(follow(shelf.registry, run, 1))
    shelf.registry.delete_run(run.id)
    run = shelf.registry.purge_run(run.id, shelf.registry.run(run.id).deleted_at)
    with pytest.raises(StorageError, match=f"the files of run {run.id} were removed at 20"):
        next(follow(shelf.registry, run, 1))
    facts = {"kind": "decode", "name": "x", "task": "t", "config": {}, "seed": 1, "versions": {}}
    bare = shelf.registry.start_run(**facts, device="cpu", device_reason="", data=[])
    with pytest.raises(StorageError, match=r"\(decode\) has no folder"):
        next(follow(shelf.registry, bare, 1))


# Who holds a folder ------------------------------------------------------------------------------------


def test_looking_whether_a_folder_is_held_changes_nothing(shelf: Shelf) -> None:
    folder = Path(shelf.run().folder)
    assert not is_held(folder)
    assert not (folder / LOCK).exists()
    with alone(folder):
        assert is_held(folder)
    assert not is_held(folder)
    with (folder / LOCK).open("rb") as stream:  # somebody looks in the moment in which a training begins
        fcntl.flock(stream, fcntl.LOCK_SH)
        threading.Timer(0.05, fcntl.flock, [stream, fcntl.LOCK_UN]).start()
        with alone(folder):
            assert is_held(folder)


def test_runs_are_deleted_all_or_none(shelf: Shelf) -> None:
    first, second = shelf.run(), shelf.run()
    with alone(Path(second.folder)), pytest.raises(BusyError, match=f"run {second.id} goes on: a process"):
        delete_runs(shelf.registry, [first.id, second.id])
    assert len(shelf.registry.runs()) == 2
    assert [run.id for run in delete_runs(shelf.registry, [first.id, second.id, first.id])] == [
        first.id,
        second.id,
    ]
    assert shelf.registry.runs() == []
    with pytest.raises(ConfigError, match=f"run {first.id} was deleted at"):
        delete_runs(shelf.registry, [first.id])
