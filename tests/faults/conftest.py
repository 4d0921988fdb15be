"""Processes whose children may be struck."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest


class Parent:
    """A process that forks children, one at a time, see children.py.

    Args:
        script: Says what they do; a file of this folder.
        **where: Of subprocess.Popen: cwd, env.
    """

    def __init__(self, script: str, **where: Any) -> None:
        self.process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            **where,
        )

    def child(self, line: str) -> int:
        """The number of a child that waits to be woken."""
        assert self.process.stdin
        print(line, file=self.process.stdin, flush=True)
        return self._told()

    def wake(self, child: int) -> None:
        os.kill(child, signal.SIGCONT)

    def exit_code(self) -> int:
        """That of the child; minus a signal's number where that ended it."""
        return self._told()

    def _told(self) -> int:
        assert self.process.stdout
        return int(self.process.stdout.readline())


@pytest.fixture(scope="module")
def parent() -> Iterator[Callable[..., Parent]]:
    """Makes such processes, and ends them."""
    with ExitStack() as stack:
        made: list[Parent] = []

        def make(script: str, **where: Any) -> Parent:
            made.append(Parent(script, **where))
            stack.enter_context(made[-1].process)
            return made[-1]

        yield make
    assert all(one.process.returncode == 0 for one in made)
