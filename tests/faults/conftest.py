"""Processes whose children may be struck."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

READING = {"read", "lseek", "close", "fcntl", "ioctl", "getcwd", "getdents64", "mmap"}
READING |= {"stat", "fstat", "newfstatat", "statx"}
"""System calls that change nothing on the disk."""


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


class Struck:
    """Acts in children under strace.

    Args:
        parent: Forks them.
        trace: A file that strace may write.
    """

    def __init__(self, parent: Any, trace: Path) -> None:
        self.parent = parent
        self.trace = trace

    def __call__(self, line: str, *options: str) -> int:
        """A child's exit code; minus a signal's number where that ended it."""
        child = self.parent.child(line)
        words = ["strace", "-f", "-o", self.trace, *(f"-e{option}" for option in options), "-p", str(child)]
        with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as strace:
            assert strace.stderr
            first = strace.stderr.readline()
            self.parent.wake(child)
            assert "attached" in first, first + strace.stderr.read()
        return int(self.parent.exit_code())

    def strike(self, line: str, call: str, number: str, fault: str) -> int:
        """The exit code of a child struck at a system call: its third (``3``), or from there on (``3+``)."""
        return self(line, f"trace={call}", f"inject={call}:{fault}:when={number}")

    def points(self, line: str) -> list[tuple[str, int]]:
        """Each system call by which an action may change the disk, and its number among those of its name."""
        assert self(line, "trace=%file,%desc") == 0
        made = re.findall(r"^\d+ +(\w+)\(", self.trace.read_text(), flags=re.MULTILINE)
        calls = Counter(name for name in made if name not in READING)
        return [(name, number) for name, count in calls.items() for number in range(1, count + 1)]


@pytest.fixture(scope="module")
def struck(
    parent: Callable[..., Parent], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Struck]:
    """Makes what acts as a script of this folder says."""
    return lambda script: Struck(parent(script), tmp_path_factory.mktemp("struck") / "trace")
