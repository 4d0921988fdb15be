"""Children that may be struck: forked of one process, which imports what they need once for all."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable


def serve(act: Callable[[str], int]) -> None:
    """Reads a line at a time, and forks a child for it that stops itself before it acts.

    Tells the child's number and, when it is gone, its exit code.

    Args:
        act: What a child does; gives its exit code.
    """
    for line in sys.stdin:
        number = os.fork()
        if number == 0:
            _live(act, line)
        os.waitpid(number, os.WUNTRACED)
        print(number, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]), flush=True)


def _live(act: Callable[[str], int], line: str) -> None:
    code = 1
    try:
        signal.raise_signal(signal.SIGSTOP)
        code = act(line)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)
