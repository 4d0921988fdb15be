"""Children that are killed with -9 while they work on a registry, at a point that they count or from outside."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event


def forked(act: Callable[[], object]) -> int:
    """A child that does something; it ends in 1 where that fails."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        act()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def ended(child: int) -> int:
    """Its exit code; minus a signal's number where that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class Points:
    """Counts what it is told, and ends its process without mercy at one of them.

    Args:
        last: That one; None for never.
    """

    def __init__(self, last: int | None) -> None:
        self.last = last
        self.count = 0

    def __call__(self, *_: object) -> None:
        if self.count == self.last:
            os.kill(os.getpid(), signal.SIGKILL)
        self.count += 1

    def watch(self) -> None:
        """Has them told of every statement, every commit and all that a copy is made by."""
        event.listen(Engine, "before_cursor_execute", self)
        event.listen(Engine, "after_cursor_execute", self)
        event.listen(Engine, "commit", self)
        for owner, name in ((os, "fsync"), (Path, "replace")):
            self._wrap(owner, name)

    def _wrap(self, owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def told(*arguments: Any) -> Any:
            self()
            found = original(*arguments)
            self()
            return found

        setattr(owner, name, told)
