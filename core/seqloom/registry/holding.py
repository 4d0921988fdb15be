"""Does a process work in a run's folder now?

Whoever works in it holds a lock on its file ``.lock``, which the system takes from a process that dies.
"""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import Final

LOCK: Final = ".lock"


def is_held(run_folder: Path) -> bool:
    """Whether a process of this machine works in a run's folder; nothing is changed by asking.

    A shared lock is tried for, and let go at once. Who wants the folder in this very moment has to look
    again, see :func:`seqloom.site.alone`.
    """
    try:
        stream = (run_folder / LOCK).open("rb")
    except OSError:  # nobody ever worked in it, or it is not there
        return False
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False
