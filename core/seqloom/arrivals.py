"""Which imports into a folder of runs are under way, and what did those leave that were killed?

Each import has a file beside its folder that says which registry it is for, from before its folder is
begun until the registry knows of it. All of them hold a lock together; who finds itself alone first clears
up after the others: what its registry does not know by now, it never will.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from seqloom.errors import ConfigError, SeqloomError
from seqloom.registry.runs import new_run_id
from seqloom.registry.store import Registry
from seqloom.storage import clear_folder, storage_errors

LOCK: Final = ".imports"
MARK: Final = ".import"


@contextmanager
def arriving(registry: Registry, runs: Path) -> Iterator[Path]:
    """The run folder of an import, which the block makes and tells the registry of; else it goes again.

    Args:
        registry: What will know the run, by the folder's name.
        runs: The folder of run folders.

    Raises:
        StorageError: The folder cannot be written, or the registry not be opened.
    """
    place = registry.place()
    with storage_errors(runs, "write"):
        runs.mkdir(parents=True, exist_ok=True)
        stream = (runs / LOCK).open("ab")
    with stream:
        with suppress(BlockingIOError):  # another one is under way: it may be its
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for mark in runs.glob(f".*{MARK}"):
                _clear(mark, registry, place)
        fcntl.flock(stream, fcntl.LOCK_SH)
        folder = runs / new_run_id()
        mark = runs / f".{folder.name}{MARK}"
        with storage_errors(mark, "write"):
            mark.write_text(place, encoding="utf-8")
        try:
            yield folder
        finally:
            _settle(mark, registry)


def _clear(mark: Path, registry: Registry, place: str) -> None:
    """Clears up after an import that is not under way any more, where it was for this registry."""
    try:
        meant = mark.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return
    if meant in {place, ""}:  # nothing was begun before it said so
        _settle(mark, registry)


def _settle(mark: Path, registry: Registry) -> None:
    """Keeps an import's folder if the registry knows it; where that cannot be asked, the next one asks."""
    run_id = mark.name.removeprefix(".").removesuffix(MARK)
    try:
        registry.run(run_id)
    except ConfigError:
        clear_folder(mark.with_name(run_id))
    except SeqloomError:
        return
    with suppress(OSError):
        mark.unlink()
