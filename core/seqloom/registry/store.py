"""The registry: which runs there were, which models they left. Frozen records in and out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import final

from seqloom.registry.aliases import AliasVerbs
from seqloom.registry.imports import ImportVerbs
from seqloom.registry.lineage import LineageVerbs
from seqloom.registry.models import ModelVerbs
from seqloom.registry.removal import RemovalVerbs
from seqloom.registry.runs import RunVerbs
from seqloom.registry.subjects import SubjectVerbs


def runs_folder() -> Path:
    """Where run folders are: ``SEQLOOM_RUNS``, or ``runs`` in the folder one works in."""
    return Path(os.environ.get("SEQLOOM_RUNS") or "runs").absolute()


@final
class Registry(RunVerbs, ModelVerbs, AliasVerbs, LineageVerbs, SubjectVerbs, RemovalVerbs, ImportVerbs):
    """An open registry; any number of processes and threads may use one database at a time.

    Its verbs stand by their nouns in files of their own: :mod:`seqloom.registry.runs`,
    :mod:`~seqloom.registry.models`, :mod:`~seqloom.registry.aliases`, :mod:`~seqloom.registry.lineage`,
    :mod:`~seqloom.registry.subjects`, :mod:`~seqloom.registry.removal`, :mod:`~seqloom.registry.imports`;
    what it takes to open it, in :class:`seqloom.registry.opened.Opened`.
    """
