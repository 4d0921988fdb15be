from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from filelock import FileLock, Timeout

from seqloom.registry import queue_lock
from seqloom.registry.queue_lock import locked

HOLD = """
import sys
from pathlib import Path
from seqloom.registry.queue_lock import locked
print("waits", flush=True)
with locked(Path(sys.argv[1]), 60):
    print("holds", flush=True)
    sys.stdin.readline()
"""
LONG = 60.0
FILES = Path("/proc/self/fd")


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "registry.db.lock"


def number(lock: Path) -> int:
    """The last number that was taken."""
    return int.from_bytes(lock.read_bytes()[:8], "little") if lock.exists() else 0


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + LONG
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.002)


@contextmanager
def other(lock: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that takes the next number; it holds the lock until it is told otherwise."""
    before = number(lock)
    command = [sys.executable, "-c", HOLD, str(lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "waits\n"
            until(lambda: number(lock) != before)
            yield process
        finally:
            process.kill()


def has_it(process: subprocess.Popen[str]) -> bool:
    assert process.stdout is not None
    return process.stdout.readline() == "holds\n"


@contextmanager
def queue(lock: Path, length: int) -> Iterator[list[int]]:
    """Threads that take their numbers one after the other; gives which have had the lock."""
    came: list[int] = []

    def hold(which: int) -> None:
        with locked(lock, LONG):
            came.append(which)

    threads = []
    for which in range(length):
        before = number(lock)
        threads.append(threading.Thread(target=hold, args=(which,)))
        threads[-1].start()
        until(lambda before=before: number(lock) != before)
    yield came
    for thread in threads:
        thread.join()


def test_turns_go_by_the_order_of_coming(lock: Path) -> None:
    with ExitStack() as stack, locked(lock, 0):
        came = stack.enter_context(queue(lock, 8))
        assert came == []
    assert came == list(range(8))


def test_one_who_gives_up_is_not_waited_for(lock: Path) -> None:
    with ExitStack() as stack:
        with locked(lock, 0):
            stack.enter_context(queue(lock, 2))
            with pytest.raises(TimeoutError), locked(lock, 0.05):
                pass
            came = stack.enter_context(queue(lock, 2))
        until(lambda: len(came) == 2)
    assert number(lock) == 6


def test_a_dead_holder_leaves_it_to_the_next(lock: Path) -> None:
    with other(lock) as first:
        assert has_it(first)
        with queue(lock, 3) as came:
            first.kill()
    assert came == [0, 1, 2]


def test_a_dead_waiter_is_passed_over_and_nobody_before_it(lock: Path) -> None:
    with other(lock) as holder, ExitStack() as stack:
        assert has_it(holder)
        first = stack.enter_context(queue(lock, 1))
        waiters = [stack.enter_context(other(lock)) for _ in range(3)]
        last = stack.enter_context(queue(lock, 1))
        for waiter in waiters:
            waiter.kill()
            waiter.wait()
        time.sleep(0.05)
        assert first == last == []  # the holder is still there
        holder.kill()
    assert first == last == [0]


def test_a_stopped_waiter_is_passed_over_after_a_while(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_lock, "PATIENCE_SECONDS", 0.05)
    with ExitStack() as stack:
        with locked(lock, 0):
            waiter = stack.enter_context(other(lock))
            waiter.send_signal(signal.SIGSTOP)
            came = stack.enter_context(queue(lock, 3))
        until(lambda: sorted(came) == [0, 1, 2])
        assert waiter.poll() is None


def test_other_programs_keep_it_and_find_it_taken(lock: Path) -> None:
    with locked(lock, 0), pytest.raises(Timeout):
        FileLock(lock).acquire(timeout=0)
    with FileLock(lock), pytest.raises(TimeoutError), locked(lock, 0.01):
        pass
    with locked(lock, 0), locked(lock.with_name("another"), 0):
        pass


@pytest.mark.parametrize("content", [b"", b"\xff" * 100])
def test_what_the_file_says_is_no_matter(lock: Path, content: bytes) -> None:
    with ExitStack() as stack:
        with locked(lock, 0):
            came = stack.enter_context(queue(lock, 2))
            lock.write_bytes(content)
        until(lambda: came == [0, 1])
    with ExitStack() as stack:
        with locked(lock, 0):
            came = stack.enter_context(queue(lock, 3))
        until(lambda: came == [0, 1, 2])


def test_a_forked_process_does_not_keep_it(lock: Path) -> None:
    program = (
        "import os, sys, time\nfrom pathlib import Path\nfrom seqloom.registry.queue_lock import locked\n"
        "with locked(Path(sys.argv[1]), 0):\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        os.close(1)\n"
        "        time.sleep(600)\n"
        "print(child)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(lock)], stdout=subprocess.PIPE, text=True, check=True
    )
    try:
        with locked(lock, 0):
            pass
    finally:
        os.kill(int(done.stdout), signal.SIGKILL)


def test_without_a_queue_it_is_a_lock_all_the_same(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_lock, "FIRST", -(1 << 40))  # as where the file system knows no such locks
    with locked(lock, 0), pytest.raises(TimeoutError), locked(lock, 0.05):
        pass
    with locked(lock, 0):
        pass


def test_on_other_systems_it_is_a_lock_all_the_same(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(queue_lock.sys, "platform", "another")
        with locked(lock, 0), pytest.raises(TimeoutError), locked(lock, 0.05):
            pass
        with locked(lock, 0):
            pass
    assert number(lock) == 0


def test_a_file_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    with pytest.raises(OSError, match="Is a directory"), locked(tmp_path / "lock", 1):
        pass


@pytest.mark.skipif(not FILES.exists(), reason="needs a list of this process's open files")
def test_no_file_stays_open(lock: Path) -> None:
    before = sorted(FILES.iterdir())
    with ExitStack() as stack, locked(lock, 0):
        stack.enter_context(queue(lock, 3))
        with pytest.raises(TimeoutError), locked(lock, 0.01):
            pass
    until(lambda: sorted(FILES.iterdir()) == before)
