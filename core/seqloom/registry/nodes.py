"""The nodes of a lineage: what is said of a row in a few words."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import quote

from seqloom.registry.lookup import RUN_SCHEME, SCHEME
from seqloom.registry.records import LineageNode, Model
from seqloom.registry.tables import ArtefactRow

RUN: Final = "run:"
DATA: Final = "data:"
FILE: Final = "file:"
CHECKPOINT: Final = "checkpoint"
MORE: Final = "more"
ORDER: Final = ("data", "run", CHECKPOINT, "model")
"""Kinds of nodes, in the order in which they come from each other; others follow, and then the rest."""
RUNS: Final = ("train", "import", "evaluate", "decode")
"""Kinds of runs, in the order in which those of one second are told."""
NUMBERED: Final = re.compile(r"models:/([^/@]+)/([0-9]{1,9})")


def run_node(row: Any, scores: str) -> LineageNode:
    """A run, of a row with the columns of :class:`~seqloom.registry.tables.RunRow`."""
    details = {
        "kind": row.kind,
        "status": row.status,
        "name": row.name,
        "task": row.task,
        "started": _moment(row.started_at),
        "model": row.model,
        "scores": scores,
        **_gone(row),
    }
    return _node(RUN + row.id, "run", row.id, details)


def model_node(model: Model) -> LineageNode:
    """A registered model."""
    details = {
        "task": model.task,
        "registered": _moment(model.created_at),
        "aliases": ", ".join(model.aliases),
        "scores": score_line((one.split, one.metric, one.value) for one in model.scores),
        "run": model.run_id,
        "sha256": model.sha256,
        "folder": model.folder,
        **_gone(model),
    }
    return _node(model.uri, "model", f"{model.name}/{model.version}", details)


def used_node(uri: str) -> LineageNode:
    """A model that was used, and that no row tells of."""
    if uri.startswith(RUN_SCHEME):
        return _node(uri, "model", uri, {"state": "not registered", "run": uri.removeprefix(RUN_SCHEME)})
    if not uri.startswith(SCHEME):
        return _node(f"model:{uri}", "model", uri, {"state": "not in this registry"})
    state = "not in this registry" if NUMBERED.fullmatch(uri) else "nobody noted which version that was"
    return _node(uri, "model", uri, {"state": state})


def data_node(
    sha256: str, size: int | None, rows: int | None, read_as: Collection[tuple[str, str]]
) -> LineageNode:
    """A file of data.

    Args:
        sha256: Of its bytes.
        size: In bytes.
        rows: Its examples.
        read_as: The splits and paths as which it was read.
    """
    paths = sorted({path for _, path in read_as})
    label = PurePosixPath(paths[0]).name if paths else sha256[:12]
    details = {
        "split": ", ".join(sorted({split for split, _ in read_as if split})),
        "rows": None if rows is None else f"{rows:,}",
        "bytes": None if size is None else f"{size:,}",
        "sha256": sha256,
        "path": paths[0] if paths else None,
        "other names": ", ".join(paths[1:]),
    }
    return _node(DATA + sha256, "data", label, details)


def artefact_id(kind: str, run_id: str, path: str) -> str:
    """The id of what a run left."""
    before = f"{CHECKPOINT}:" if kind == CHECKPOINT else FILE
    return f"{before}{quote(run_id, safe='')}/{path}"


def artefact_node(row: ArtefactRow | Any, folder: str) -> LineageNode:
    """What a run left, whose folder is given."""
    path = PurePosixPath(row.path)
    is_inside = bool(folder) and path.is_relative_to(folder)
    shown = str(path.relative_to(folder)) if is_inside else row.path
    details = {
        "bytes": f"{row.bytes:,}",
        "left": _moment(row.created_at),
        "sha256": row.sha256,
        "path": row.path,
        "run": row.run_id,
    }
    label = shown if is_inside else path.name
    return _node(artefact_id(row.kind, row.run_id, shown), row.kind, label, details)


def more_node(count: int, what: str, node_id: str) -> LineageNode:
    """As many more of something as are not shown, next to a node."""
    details = {"count": str(count), "what": what}
    return _node(f"{MORE}:{what}:{node_id}", MORE, f"{count:,} more {what}", details)


def beyond_node(direction: str) -> LineageNode:
    """What nobody looked for any more, as there is so much already."""
    return _node(f"{MORE}:{direction}", MORE, "not followed further", {})


def score_line(scores: Iterable[tuple[str, str, float]]) -> str:
    """Splits, metrics and values in a line: ``test bleu 31.20, chrf 58.01; valid bleu 30.00``."""
    by_split: dict[str, dict[str, float]] = {}
    for split, metric, value in scores:
        if "/" not in metric:  # those of groups and of baselines are too many for a line
            by_split.setdefault(split, {})[metric] = value
    parts = (
        f"{split} " + ", ".join(f"{metric} {value:.2f}" for metric, value in sorted(values.items()))
        for split, values in sorted(by_split.items())
    )
    return "; ".join(parts)


def sort_key(node: LineageNode) -> tuple[int, str, str, list[str | int]]:
    """By which nodes are sorted; numbers within ids count as numbers."""
    last = len(ORDER) + (node.kind == MORE)
    place = ORDER.index(node.kind) if node.kind in ORDER else last
    pieces = re.split(r"([0-9]{1,9})", node.id)
    name = node.details.get("path", "") if node.id.startswith(DATA) else ""
    if node.kind == "run":
        kind = node.details.get("kind", "")
        name = f"{node.details.get('started', '')} {RUNS.index(kind) if kind in RUNS else len(RUNS)}"
    return place, node.kind, name, [int(piece) if at % 2 else piece for at, piece in enumerate(pieces)]


def _gone(row: Any) -> Mapping[str, str | None]:
    return {
        name: None if at is None else _moment(at)
        for name, at in (("deleted", row.deleted_at), ("purged", row.purged_at))
    }


def _node(node_id: str, kind: str, label: str, details: Mapping[str, str | None]) -> LineageNode:
    known = {name: value for name, value in details.items() if value}
    return LineageNode(id=node_id, kind=kind, label=label, details=known)


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"
