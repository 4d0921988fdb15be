"""Which runs may be deleted? Those in whose folders nobody works now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seqloom.errors import BusyError, ConfigError
from seqloom.registry.holding import is_held
from seqloom.registry.records import Run
from seqloom.registry.store import Registry


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
