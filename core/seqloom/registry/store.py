"""The registry: which runs there were, which models they left. Frozen records in and out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import final

from seqloom.registry.aliases import AliasVerbs
from seqloom.registry.models import ModelVerbs
from seqloom.registry.runs import RunVerbs


def runs_folder() -> Path:
    """Where run folders are: ``SEQLOOM_RUNS``, or ``runs`` in the folder one works in."""
    return Path(os.environ.get("SEQLOOM_RUNS") or "runs").absolute()


@final
class Registry(RunVerbs, ModelVerbs, AliasVerbs):
    """An open registry; any number of processes and threads may use one database at a time.

    Its verbs stand by their nouns in :mod:`seqloom.registry.runs`, :mod:`seqloom.registry.models` and
    :mod:`seqloom.registry.aliases`; what it takes to open it, in :class:`seqloom.registry.opened.Opened`.
    """
