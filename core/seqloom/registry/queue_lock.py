"""A lock on a file that those who wait for get in the order of their coming, and that dies with its holder.

Asking again and again whether a lock is free favours whoever let go of it last: the others are asleep. So
one who finds it taken waits inside the system, which keeps a queue. That wait knows no end; so it is a
thread that waits, and lets go of the lock as soon as it gets it where its owner has given up meanwhile.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from filelock import FileLock

fcntl: Any
try:
    import fcntl
except ImportError:  # no system of Unix's kind
    fcntl = None

POLL_SECONDS: Final = 0.005
"""How often the lock is asked for where the system keeps no queue."""


@contextmanager
def locked(file: Path, timeout_seconds: float) -> Iterator[None]:
    """Holds the lock.

    Args:
        file: Made where it is not there, as its folder is; it stays.
        timeout_seconds: How long to wait for it.

    Raises:
        TimeoutError: Others held it for longer.
        OSError: The file cannot be made or locked.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    if fcntl is None:
        with FileLock(file, timeout=timeout_seconds, poll_interval=POLL_SECONDS):
            yield
        return
    held = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    if not _taken_at_once(held):
        _Waiting(held).get(timeout_seconds)
    try:
        yield
    finally:
        os.close(held)


def _taken_at_once(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        os.close(file)
        raise
    return True


class _Waiting:
    """One who waits for the lock on an open file, and owns the file until it has got it."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._deciding = threading.Lock()
        self._done = threading.Event()
        self._has_it = False
        self._given_up = False
        self._error: OSError | None = None

    def get(self, timeout_seconds: float) -> None:
        threading.Thread(target=self._wait, name="registry lock", daemon=True).start()
        try:
            self._done.wait(timeout_seconds)
        finally:  # a signal may end the wait, too
            with self._deciding:
                self._given_up = not self._has_it
        if self._error is not None:
            raise self._error
        if self._given_up:
            raise TimeoutError

    def _wait(self) -> None:
        error = None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX)
        except OSError as failed:
            error = failed
        with self._deciding:
            self._error = error
            self._has_it = error is None and not self._given_up
        if not self._has_it:
            os.close(self._file)
        self._done.set()
