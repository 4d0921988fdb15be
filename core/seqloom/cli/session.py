"""Line by line with a model: piped, or typed at a terminal, where it goes on after errors."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from seqloom.cli.output import note
from seqloom.errors import DataError, unknown_name

if TYPE_CHECKING:
    from seqloom.session import OpenSession
    from seqloom.task import Prediction

STDIN: Final = "<stdin>"
PROMPT: Final = "> "
RESET, QUIT = "/reset", "/quit"

_COMMAND: Final = re.compile(r"/\w*")


def converse(session: OpenSession) -> Iterator[Prediction]:
    """What is found in the lines of stdin as they come, until it ends or one says ``/quit``.

    ``/reset`` begins anew. At a terminal there is a prompt.

    Raises:
        DataError: A line cannot be used, and nobody is there to type another.
    """
    from seqloom.data.files import decoded_lines  # noqa: PLC0415

    if sys.stdin is None:
        return
    typed = sys.stdin.isatty()
    lines = _typed() if typed else decoded_lines(sys.stdin.buffer, STDIN)
    for number, line in enumerate(lines, 1):
        said = line.strip()
        if said == QUIT:
            return
        try:
            found = _next(session, said)
        except DataError as error:
            if not typed:
                raise DataError(str(error), STDIN, number) from error
            note(f"error: {error}")
            continue
        if found is not None:
            yield found


def _next(session: OpenSession, said: str) -> Prediction | None:
    """What is found in a line; nothing where it is a command."""
    if said == RESET:
        session.reset()
        return None
    if _COMMAND.fullmatch(said):
        raise DataError(unknown_name("command", said, (RESET, QUIT)))
    return session.next(said)


def _typed() -> Iterator[str]:
    """Lines that a person types, edits and calls back, until the end of input."""
    with suppress(ImportError):  # some systems lack it
        import readline  # noqa: F401, PLC0415 - input() is then an editor
    while True:
        try:
            line = input(PROMPT) if sys.stdout.isatty() else _asked()
            line.encode()
        except EOFError:
            note("")  # the shell's prompt gets a line of its own
            return
        except UnicodeError:
            note("error: this was no UTF-8; type it again")
        else:
            yield line


def _asked() -> str:
    """A line typed where stdout leads elsewhere: the prompt is no data."""
    sys.stderr.write(PROMPT)
    sys.stderr.flush()
    if not (line := sys.stdin.readline()):
        raise EOFError
    return line
