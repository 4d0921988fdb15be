"""The registry's verb about lineage: what came from what, from data to predictions."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Final

from seqloom.errors import ConfigError, UsageError
from seqloom.registry.called import called
from seqloom.registry.kin import after, before
from seqloom.registry.lookup import run_row
from seqloom.registry.nodes import DATA, RUN, beyond_node, model_node, sort_key
from seqloom.registry.opened import Opened
from seqloom.registry.parts import Parts
from seqloom.registry.records import Lineage
from seqloom.registry.tables import DataFileRow, ModelRow

SHOWN: Final = 20
"""Of a kind, next to a node."""
MOST: Final = 1000
"""Nodes from which on nobody looks further."""
AT_ONCE: Final = 50
"""Nodes that a statement is about."""
Find = Callable[[Parts, Collection[str]], None]
SHA256: Final = re.compile(r"[0-9a-f]{64}")


class LineageVerbs(Opened):
    """What is asked about lineage."""

    def lineage(self, subject: str, *, limit: int = SHOWN) -> Lineage:
        """What a model, a run or a file of data came from, and what came from it.

        That is the data that a run read, the checkpoint and the model that it made, the runs that used the
        model, what they left (predictions), and whatever was trained on it: a file is known by its content.
        A training came from a model, too, where its configuration names one, as ``models:/name/3`` or
        ``runs:/ID``. What is deleted is there, and says so.

        Args:
            subject: A model's URI in any form, ``runs:/ID`` (the run itself where it made no model that is
                registered), a run's id or the beginning of it, or the sha256 of a file of data; or a node's
                id of these kinds.
            limit: How many of a kind are shown next to a node, the newest first; a node of kind ``more``
                says how many are not. From 1000 nodes on, it says where nobody looked further.

        Raises:
            ConfigError: There is no such thing, or several are called so.
            UsageError: The limit is below 1.
        """
        if limit < 1:
            raise UsageError(f"a lineage shows at least 1 of a kind, and {limit} was asked for")
        with self._reading() as session:
            parts = Parts(session, limit)
            about = _add_subject(parts, subject)
            _follow(parts, about, before)
            _follow(parts, about, after)
        nodes = tuple(sorted(parts.nodes.values(), key=sort_key))
        place = {node.id: number for number, node in enumerate(nodes)}
        edges = sorted(parts.edges, key=lambda edge: (place[edge[0]], place[edge[1]]))
        return Lineage(nodes=nodes, edges=tuple(edges), about=about)


def _follow(parts: Parts, about: str, find: Find) -> None:
    """Finds all that lies in a direction, nearest first."""
    is_back = find is before
    seen, waiting = {about}, [about]
    while waiting and len(parts.nodes) < MOST:
        now, waiting = waiting[:AT_ONCE], waiting[AT_ONCE:]
        find(parts, now)
        edges = ((effect, cause) if is_back else (cause, effect) for cause, effect in parts.edges)
        found = {there for here, there in edges if here in set(now)} - seen
        seen |= found
        waiting += sorted(found)
    if waiting:
        rest = parts.add(beyond_node("before" if is_back else "after"))
        parts.edges |= {(rest, one) if is_back else (one, rest) for one in waiting}


def _add_subject(parts: Parts, subject: str) -> str:
    """Adds the node that is asked about; returns its id."""
    session = parts.session
    if subject.startswith(DATA) or SHA256.fullmatch(subject):
        return _add_content(parts, subject.removeprefix(DATA))
    if subject.startswith(RUN):
        return _add_run(parts, run_row(session, subject.removeprefix(RUN)).id)
    row = called(session, subject)
    return parts.add(model_node(row.record())) if isinstance(row, ModelRow) else _add_run(parts, row.id)


def _add_run(parts: Parts, run_id: str) -> str:
    parts.add_runs([run_id])
    return RUN + run_id


def _add_content(parts: Parts, sha256: str) -> str:
    if parts.session.get(DataFileRow, sha256) is None:
        raise ConfigError(f"no run read a file of data whose sha256 is '{sha256}'; see `seqloom runs show`")
    parts.add_data([sha256])
    return DATA + sha256
