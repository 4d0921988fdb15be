"""A lock on a file: who waits for it gets it in the order of coming, and it dies with its holder.

Asking again and again whether a lock is free favours whoever let go of it last: the others are asleep. So
everybody first takes a number, as at a counter: the next byte of the file is theirs, locked. One's turn has
come when no earlier byte is locked any more; the system wakes who waits for that, and frees the bytes of
the dead. The queue is a courtesy: who got no turn for a second (somebody before was stopped, or this file
system has no such locks) asks again and again all the same. What keeps writers apart is the lock itself.
"""

from __future__ import annotations

import os
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

if sys.platform == "linux":
    import fcntl

POLL_SECONDS: Final = 0.005
"""How often the lock is asked for out of turn."""

NEXT_SECONDS: Final = 0.0002
"""How often the next one looks whether its turn has come."""

PATIENCE_SECONDS: Final = 1.0
"""For how long the order of coming is kept."""

COUNTER: Final = 0
"""The byte whose holder may take a number; the last one taken stands in the file's first eight."""

FIRST: Final = 1 << 20
"""The byte of number 0, beyond all content."""

MOST: Final = 1 << 60
"""Numbers begin anew after this one."""


RECORD: Final = "hhqqi4x"
"""The system's ``struct flock``: kind, from where, start, length, process."""

_FILES: Final[set[int]] = set()
"""Open files of this process's places."""


@contextmanager
def locked(file: Path, timeout_seconds: float) -> Iterator[None]:
    """Holds the lock; other programs find it taken by ``flock``.

    Args:
        file: Made where it is not there, as its folder is; it stays.
        timeout_seconds: How long to wait for it.

    Raises:
        TimeoutError: Others held it for longer.
        OSError: The file cannot be made or locked.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    if sys.platform != "linux":  # which has no queue that would survive a process
        try:
            with FileLock(file, timeout_seconds, poll_interval=POLL_SECONDS):
                yield
        except Timeout:
            raise TimeoutError from None
        return
    deadline = time.monotonic() + timeout_seconds
    place = _Place(file)
    try:
        place.wait(min(PATIENCE_SECONDS, timeout_seconds))
        while not place.has_lock():
            if time.monotonic() >= deadline:
                raise TimeoutError
            time.sleep(POLL_SECONDS)
        yield
    finally:
        place.leave()


class _Place:
    """A place in the queue, on an open file of its own.

    Args:
        file: The lock's file.

    Raises:
        OSError: It cannot be opened.
    """

    def __init__(self, file: Path) -> None:
        self._file = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        _FILES.add(self._file)
        self._number = 0
        self._is_near = threading.Event()
        self._leaving = threading.Lock()
        self._has_left = False

    def wait(self, patience_seconds: float) -> None:
        """Waits until all who came before are gone, or as long as it has patience."""
        deadline = time.monotonic() + patience_seconds
        with suppress(OSError):  # of a file system without such locks
            self._take_number(deadline)
            self._come_near()
            self._is_near.wait(patience_seconds)
            while not self._is_free(self._number) and time.monotonic() < deadline:
                time.sleep(NEXT_SECONDS)

    def has_lock(self) -> bool:
        """Whether the lock is taken for this place, now."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def leave(self) -> None:
        """Lets go of the lock and of the number."""
        with self._leaving:
            self._has_left = True
            if self._number == 0 or self._is_near.is_set():
                self._close()
            else:  # a thread sleeps on it, and closes it when it wakes
                fcntl.flock(self._file, fcntl.LOCK_UN)
                self._ask(fcntl.F_OFD_SETLK, FIRST + self._number, 1, fcntl.F_UNLCK)

    def _take_number(self, deadline: float) -> None:
        while not self._takes(COUNTER):
            if time.monotonic() > deadline:
                raise TimeoutError
            time.sleep(NEXT_SECONDS)
        number = int.from_bytes(os.pread(self._file, 8, 0), "little") % MOST + 1
        while not self._takes(FIRST + number):  # the file was emptied, and we count anew
            number += 1
        os.pwrite(self._file, number.to_bytes(8, "little"), 0)
        self._ask(fcntl.F_OFD_SETLK, COUNTER, 1, fcntl.F_UNLCK)
        self._number = number

    def _come_near(self) -> None:
        """Sleeps, in a thread, until one at most is before it; so it is awake when that one leaves."""
        if self._is_free(max(1, self._number - 1)):
            self._is_near.set()
        else:
            threading.Thread(target=self._sleep, name="registry's queue", daemon=True).start()

    def _sleep(self) -> None:
        with suppress(OSError):
            # For one of those before alone, so that who leaves wakes but one; then for all, as that one may
            # have died.
            for start, length in ((FIRST + self._number - 2, 1), (FIRST, self._number - 1)):
                self._ask(fcntl.F_OFD_SETLKW, start, length, fcntl.F_RDLCK)
                self._ask(fcntl.F_OFD_SETLK, start, length, fcntl.F_UNLCK)
        with self._leaving:
            self._is_near.set()
            if self._has_left:
                self._close()

    def _close(self) -> None:
        _FILES.discard(self._file)
        os.close(self._file)

    def _takes(self, byte: int) -> bool:
        """Whether it got a byte for itself; no holder is waited for."""
        try:
            self._ask(fcntl.F_OFD_SETLK, byte, 1, fcntl.F_WRLCK)
        except (BlockingIOError, PermissionError):  # both mean that somebody else has it
            return False
        return True

    def _is_free(self, count: int) -> bool:
        """Whether none of the first numbers is anybody's."""
        found = self._ask(fcntl.F_OFD_GETLK, FIRST, count, fcntl.F_RDLCK)
        return int(struct.unpack(RECORD, found)[0]) == fcntl.F_UNLCK

    def _ask(self, how: int, start: int, length: int, kind: int) -> bytes:
        """Asks about bytes of the file; the open file has them, not the process, so threads differ, too."""
        record = struct.pack(RECORD, kind, os.SEEK_SET, start, length, 0)
        return fcntl.fcntl(self._file, how, record)


def _leave_to_parent() -> None:
    """A forked process has our open files, too, and would hold what is ours for as long as it lives."""
    while _FILES:
        os.close(_FILES.pop())


if sys.platform == "linux":
    os.register_at_fork(after_in_child=_leave_to_parent)
