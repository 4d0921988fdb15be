"""The registry: which runs there were, which models they left. Frozen records in and out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import final

from seqloom.registry.aliases import AliasVerbs
from seqloom.registry.imports import ImportVerbs
from seqloom.registry.models import ModelVerbs
from seqloom.registry.removal import RemovalVerbs
from seqloom.registry.runs import RunVerbs


def runs_folder() -> Path:
    """Where run folders are: ``SEQLOOM_RUNS``, or ``runs`` in the folder one works in."""
    return Path(os.environ.get("SEQLOOM_RUNS") or "runs").absolute()


@final
class Registry(RunVerbs, ModelVerbs, AliasVerbs, RemovalVerbs, ImportVerbs):
    """An open registry; any number of processes and threads may use one database at a time.

    Its verbs stand by their nouns in :mod:`seqloom.registry.runs`, :mod:`seqloom.registry.models`,
    :mod:`seqloom.registry.aliases`, :mod:`seqloom.registry.removal` and :mod:`seqloom.registry.imports`;
    what it takes to open it, in :class:`seqloom.registry.opened.Opened`.
    """
