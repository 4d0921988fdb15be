"""Rebuilds or backs up a registry, and is killed: ``rebuild FOLDER KINDS NUMBER`` or ``backup …`` a line.

What counts are events of these kinds: files of ours opened for writing, renamed, linked, removed, flushed,
and statements of the database's. At the one of that number, the process kills itself; 0 lets it live, and
leaves in FOLDER/points how many there were.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from children import serve
from sqlalchemy import Engine, event

from seqloom.errors import SeqloomError
from seqloom.registry.copying import back_up
from seqloom.registry.migrate import known_schemas
from seqloom.registry.rebuilding import rebuild

FILES = {"os.rename", "os.link", "os.remove", "open", "flush"}


class Killer:
    """Counts, and kills."""

    def __init__(self, kinds: set[str], number: int) -> None:
        self.kinds = kinds
        self.number = number
        self.count = 0

    def __call__(self, kind: str, arguments: tuple[Any, ...] = ()) -> None:
        if kind not in self.kinds or (kind == "open" and not _is_writing(arguments)):
            return
        self.count += 1
        if self.count == self.number:
            os.kill(os.getpid(), signal.SIGKILL)


def _is_writing(arguments: tuple[Any, ...]) -> bool:
    return bool(arguments[2] & (os.O_WRONLY | os.O_RDWR)) and str(arguments[0]) != os.devnull


def act(line: str) -> int:
    """The exit code that the command line would give."""
    action, name, kinds, number = line.split()
    folder, flush = Path(name), os.fsync
    killer = Killer(set(kinds.split(",")), int(number))
    sys.addaudithook(killer)
    event.listen(Engine, "before_cursor_execute", lambda *_: killer("statement"))
    event.listen(Engine, "commit", lambda *_: killer("statement"))

    def fsync(descriptor: int) -> None:
        killer("flush")
        flush(descriptor)

    os.fsync = fsync
    url = f"sqlite:///{folder / 'registry.db'}"
    try:
        if action == "rebuild":
            rebuild(url, [folder / "runs"])
        else:
            back_up(url, folder / "copy.db")
    except SeqloomError as error:
        return error.exit_code
    counted = killer.count
    killer.kinds = set()
    (folder / "points").write_text(str(counted))
    return 0


if __name__ == "__main__":
    known_schemas()  # what is imported late is imported now
    serve(act)
