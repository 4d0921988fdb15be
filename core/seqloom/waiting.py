"""Who tells a registry what it missed, where the training that should have is gone?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from seqloom.errors import BusyError, ConfigError, StorageError
from seqloom.registry.folders import WAITING
from seqloom.registry.store import Registry


def tell_waiting(
    registry: Registry, runs: Iterable[Path], say: Callable[[str], None]
) -> Iterator[tuple[Path, str]]:
    """Tells the registry what waits in the folders of trainings; one that goes on does that itself.

    Args:
        registry: Whom to tell.
        runs: Folders of runs.
        say: Is told a line of each that waited.

    Yields:
        What is left waiting, and why.
    """
    waiting = [folder for folder in runs if (folder / WAITING).exists()]
    if not waiting:
        return
    from seqloom.ledger import Ledger  # noqa: PLC0415 - imports torch, and is seldom needed
    from seqloom.site import alone  # noqa: PLC0415

    for folder in waiting:
        try:
            with alone(folder):
                run = registry.run(folder.name)
                number = Ledger(registry, run, lambda _: None).replay()
        except (StorageError, BusyError, ConfigError, ValueError, TypeError, KeyError) as error:
            yield folder / WAITING, str(error)
        else:
            say(f"run {run.id}: what waited in its folder is told ({number})")
