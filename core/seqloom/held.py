"""Does a process work in a run's folder now?

Whoever works in it holds a lock on its file ``.lock``, which the system takes from a process that dies.
"""

from __future__ import annotations

import fcntl
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from seqloom.errors import BusyError, ConfigError
from seqloom.registry.records import Run
from seqloom.registry.store import Registry

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


def delete_runs(registry: Registry, names: Sequence[str]) -> list[Run]:
    """Marks runs as deleted, unless a process works in one of them.

    Args:
        registry: Knows them.
        names: Their ids, or the beginnings of these.

    Raises:
        ConfigError: There is no such run, or it is deleted already.
        BusyError: A process works in the folder of one; it is named. None is deleted then.
    """
    runs = {run.id: run for run in map(registry.run, names)}
    for run in runs.values():
        if run.deleted_at is not None:
            raise ConfigError(f"run {run.id} was deleted at {run.deleted_at:%Y-%m-%d %H:%M:%S} UTC already")
        if run.folder and is_held(Path(run.folder)):
            raise BusyError(f"run {run.id} goes on: a process works in {run.folder}; stop it, or wait")
    return [registry.delete_run(run_id) for run_id in runs]
