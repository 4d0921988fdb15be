"""What does a training write while it goes on? Each line of its ``metrics.jsonl``, as it comes.

A training that is resumed takes back what was written past its checkpoint, and puts another file in the
place of the one that is followed: lines that both begin with were told already.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO, Final, final

from seqloom.errors import BusyError, StorageError
from seqloom.registry.holding import LOCK, is_held
from seqloom.registry.records import Run
from seqloom.registry.store import Registry

FILE: Final = "metrics.jsonl"
PAUSE_SECONDS: Final = 0.5
"""Between two looks at the file."""
LOOKS: Final = 4
"""After so many looks that found nothing, the registry is asked whether the run goes on."""


def follow(
    registry: Registry, run: Run, count: int | None, pause: Callable[[float], None] = time.sleep
) -> Iterator[bytes]:
    """Lines of a run's ``metrics.jsonl``, until it ends or its process is gone.

    Args:
        registry: Knows the run.
        run: The run, which may have ended already.
        count: How many of the lines that are there already; None for all.
        pause: Waits so many seconds.

    Yields:
        A line, as it was written, without its end.

    Raises:
        StorageError: The run's folder is not there.
    """
    folder = Path(run.folder)
    if not run.folder or not folder.is_dir():
        raise StorageError(_missing(run))
    with closing(Lines(folder / FILE)) as lines:
        before = lines.new()
        yield from before if count is None else before[max(0, len(before) - count) :]
        idle = LOOKS
        while True:
            if idle >= LOOKS and not goes_on(registry, run):
                yield from lines.new()  # written between the last look and its end
                return
            found = lines.new()
            yield from found
            idle = 0 if found else idle % LOOKS + 1
            pause(PAUSE_SECONDS)


def goes_on(registry: Registry, run: Run) -> bool:
    """Whether a run goes on: by the registry, and by whether a process holds its folder.

    A training goes on where its registry is away; then the folder alone tells. A folder without a lock was
    never held, and tells nothing.
    """
    try:
        if registry.run(run.id).status != "running":
            return False
    except (BusyError, StorageError):
        pass
    folder = Path(run.folder)
    return is_held(folder) or not (folder / LOCK).exists()


@final
class Lines:
    """The lines of a file that grows, and that may be replaced by another one.

    Args:
        file: The file, there or not.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._stream: BinaryIO | None = None  # kept open, so that no other file gets its number
        self._told: list[bytes] = []  # all of it so far, to tell what another has in common with it
        self._offset = 0

    def new(self) -> list[bytes]:
        """The whole lines that came since the last call.

        Raises:
            StorageError: The file cannot be read.
        """
        try:
            former = self._told if self._is_replaced() else []
            return [] if self._stream is None else self._read(self._stream, former)
        except OSError as error:
            raise StorageError(f"{self._file}: cannot read it: {error.strerror}") from error

    def close(self) -> None:
        """Lets go of the file."""
        if self._stream is not None:
            self._stream.close()

    def _is_replaced(self) -> bool:
        """Whether there is another file now, which is read from its beginning then."""
        try:
            found = self._file.open("rb")
        except FileNotFoundError:
            return False
        if self._stream is not None and _goes_on(self._stream, found, self._offset):
            found.close()
            return False
        self.close()
        self._stream, self._offset = found, 0
        return True

    def _read(self, stream: BinaryIO, former: list[bytes]) -> list[bytes]:
        if self._offset == 0:
            self._told = []
        stream.seek(self._offset)
        *lines, rest = stream.read().split(b"\n")
        self._offset = stream.tell() - len(rest)
        self._told += lines
        common = 0
        for line, told in zip(lines, former, strict=False):
            if line != told:
                break
            common += 1
        return lines[common:]


def _goes_on(before: BinaryIO, now: BinaryIO, offset: int) -> bool:
    """Whether what is found is the file that was read so far, and at least as long."""
    status = os.fstat(now.fileno())
    return os.path.samestat(status, os.fstat(before.fileno())) and status.st_size >= offset


def _missing(run: Run) -> str:
    if run.purged_at is not None:
        return f"the files of run {run.id} were removed at {run.purged_at:%Y-%m-%d %H:%M:%S} UTC"
    if not run.folder:
        return f"run {run.id} ({run.kind}) has no folder, so there is nothing to follow"
    return f"{run.folder}: the folder of run {run.id} is not there; is it on another machine?"
