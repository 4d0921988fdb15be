"""What does a plugin's code do to the process that runs it? Whatever it is, it ends there and is told."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import textwrap
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from io import TextIOBase
from typing import Any, TextIO, TypeVar

from seqloom.deprecation import DeprecatedWarning
from seqloom.errors import Interrupted

_ResultT = TypeVar("_ResultT")
_FOR_AUTHORS = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)
"""Warnings that Python shows to nobody unless asked: of what a plugin imports, not of the plugin."""

_SIGNALS = [
    signal.Signals[name]
    for name in (
        "SIGINT",
        "SIGTERM",
        "SIGHUP",
        "SIGQUIT",
        "SIGPIPE",
        "SIGALRM",
        "SIGCHLD",
        "SIGUSR1",
        "SIGUSR2",
    )
    if name in signal.Signals.__members__
]
"""Those whose handlers are watched; to ask for all 64 takes longer than to import a plugin."""


class Flaw(Exception):  # noqa: N818 - it becomes a record, not an error that anybody sees
    """Why a plugin cannot be used."""


def attempt(what: str, action: Callable[[], _ResultT]) -> _ResultT:
    """Runs a plugin's own code; what it prints goes to stderr, as stdout is for data.

    Args:
        what: Names the action, for the reason.
        action: What to run.

    Raises:
        Flaw: It raised anything but a request of the user's to stop.
    """
    with _stops() as stopped:
        try:
            with _aside():
                return action()
        except Flaw:
            raise
        except BaseException as error:  # even SystemExit: no plugin may end the program
            if isinstance(error, KeyboardInterrupt | Interrupted) and stopped:
                raise
            raise Flaw(f"{what} raised {described(error)}") from error


def contain(
    what: str, action: Callable[[], _ResultT], faults: list[str], before: Process | None = None
) -> _ResultT:
    """Like :func:`attempt`, and undoes what the code does to the process besides.

    Args:
        what: Names the action.
        action: What to run.
        faults: Gets a line for each thing that it did besides: printing, warning, importing torch, changing
            the working folder, the environment, ``sys.path``, streams or signal handlers.
        before: The process as it is now, where that is known already.

    Raises:
        Flaw: As :func:`attempt`.
    """
    before = before or Process()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        sys.stdout = heard = _Heard(sys.stderr)
        try:
            return attempt(what, action)
        finally:
            faults += [f"{what} {fault}" for fault in (*heard.faults(), *before.restore(heard))]
            faults += _told(what, warned)


def described(error: BaseException) -> str:
    """The exception's type and text, in one line."""
    return shortened(f"{type(error).__name__}: {error}").removesuffix(":")


def shortened(text: str) -> str:
    """The text in one line, which ends in dots where it is long."""
    return textwrap.shorten(text, 300, placeholder=" …")


def _told(what: str, warned: list[warnings.WarningMessage]) -> Iterator[str]:
    for one in warned:
        message = one.message
        if isinstance(message, DeprecatedWarning):
            yield f"it uses {message.deprecation}"
        elif isinstance(message, Warning) and not isinstance(message, _FOR_AUTHORS):
            yield f"{what} warns: {described(message)}"


@contextlib.contextmanager
def _stops() -> Iterator[list[int]]:
    """Gives a list that is not empty once a signal asks for an end.

    A plugin may raise what a signal's handler raises; that alone is nobody's wish.
    """
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():  # to which no signal comes
        yield came
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def hear(number: int, frame: Any) -> Any:
        came.append(number)
        handler = before[signal.Signals(number)]
        return handler(number, frame) if callable(handler) else None

    listening = [number for number, handler in before.items() if callable(handler)]
    for number in listening:
        signal.signal(number, hear)
    try:
        yield came
    finally:
        for number in listening:
            if signal.getsignal(number) is hear:  # else somebody wants another, see Process
                signal.signal(number, before[number])


def _aside() -> contextlib.AbstractContextManager[Any]:
    is_heard = isinstance(sys.stdout, _Heard)
    return contextlib.nullcontext() if is_heard else contextlib.redirect_stdout(sys.stderr)


class _Heard(TextIOBase):
    """A stdout that passes everything on to stderr and keeps the beginning of it."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.text = ""

    def write(self, text: str, /) -> int:
        self.text += text[: 400 - len(self.text)]
        return self.stream.write(text)

    def flush(self) -> None:
        self.stream.flush()

    def close(self) -> None:
        """Stays open: whoever closes it does not own it."""

    def faults(self) -> Iterator[str]:
        if self.text:
            yield f"prints {shortened(self.text)!r}"


def _handlers() -> Mapping[int, Any]:
    return {number: signal.getsignal(number) for number in _SIGNALS}


def _folder() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109 - a text, as chdir takes it
    except OSError:  # it was removed
        return None


@dataclass
class Process:
    """What all code of a process shares, as it is when this is made."""

    folder: str | None = field(default_factory=_folder)
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    path: list[str] = field(default_factory=lambda: list(sys.path))
    stdin: Any = field(default_factory=lambda: sys.stdin)
    stdout: Any = field(default_factory=lambda: sys.stdout)
    stderr: Any = field(default_factory=lambda: sys.stderr)
    handlers: Mapping[int, Any] = field(default_factory=_handlers)
    has_torch: bool = field(default_factory=lambda: "torch" in sys.modules)

    def restore(self, heard: _Heard) -> Iterator[str]:
        """Puts everything back, and tells what had changed; ``heard`` was stdout meanwhile."""
        for change in self._restore(heard):
            yield f"changes {change}; that was undone"
        if "torch" in sys.modules and not self.has_torch:
            yield "imports torch, which every command then waits for; import it in `load`"

    def _restore(self, heard: _Heard) -> Iterator[str]:
        streams = {"stdin": self.stdin, "stdout": heard, "stderr": self.stderr}
        changed = [name for name, stream in streams.items() if getattr(sys, name) is not stream]
        sys.stdin, sys.stdout, sys.stderr = self.stdin, self.stdout, self.stderr
        yield from (f"sys.{name}" for name in changed)
        if sys.path != self.path:
            sys.path[:] = self.path
            yield "sys.path"
        if self.folder is not None and _folder() != self.folder:
            os.chdir(self.folder)
            yield "the working folder"
        if (environment := dict(os.environ)) != self.environment:
            names = sorted(name for name, _ in environment.items() ^ self.environment.items())
            os.environ.clear()
            os.environ.update(self.environment)
            yield f"environment variables ({', '.join(dict.fromkeys(names))})"
        yield from self._restore_handlers()

    def _restore_handlers(self) -> Iterator[str]:
        if threading.current_thread() is not threading.main_thread():
            return
        if (handlers := _handlers()) == self.handlers:
            return
        changed = [number for number, handler in handlers.items() if handler != self.handlers[number]]
        for number in changed:
            signal.signal(number, self.handlers[number])
        yield f"signal handlers ({', '.join(signal.Signals(number).name for number in changed)})"
