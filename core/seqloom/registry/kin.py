"""What is next to the nodes of a lineage: before them, or after them; inside a session of the store's.

Any number of nodes is asked about at once, with a fixed number of statements.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, select

from seqloom.registry.lookup import RUN_SCHEME, SCHEME
from seqloom.registry.nodes import CHECKPOINT, DATA, FILE, RUN, used_node
from seqloom.registry.parts import MAKING, Few, Parts
from seqloom.registry.records import LineageNode
from seqloom.registry.tables import ArtefactRow, ModelRow, RunDataRow, RunRow

ONLY_TO_SEE: Final = "samples"
"""What runs leave to be looked at, and from which nothing comes."""
LEFT: Final = (
    *(ArtefactRow.run_id, ArtefactRow.kind, ArtefactRow.path, ArtefactRow.sha256, ArtefactRow.bytes),
    *(ArtefactRow.created_at, RunRow.folder),
)


def before(parts: Parts, ids: Collection[str]) -> None:
    """Finds what some nodes came from."""
    runs, data, models, left = _by_kind(parts, ids)
    if models:
        _link_makers(parts, models)
    if runs:
        _link_used(parts, runs)
        _link_read(parts, [_run_id(run) for run in runs])
    if data:
        _link_copied(parts, [node.id.removeprefix(DATA) for node in data])
    parts.add_runs(node.details["run"] for node in left)
    parts.edges |= {(RUN + node.details["run"], node.id) for node in left}


def after(parts: Parts, ids: Collection[str]) -> None:
    """Finds what came from some nodes."""
    runs, data, models, left = _by_kind(parts, ids)
    if models:
        names = _names(parts, models)
        _link_users(parts, names)
        _link_beginners(parts, names)
    if runs:
        _link_made(parts, [_run_id(run) for run in runs])
        _link_left(parts, [_run_id(run) for run in runs])
    if left:
        _link_copies(parts, left)
    if data:
        _link_readers(parts, [node.id.removeprefix(DATA) for node in data])


# Before ------------------------------------------------------------------------------------------------


def _link_makers(parts: Parts, models: Iterable[LineageNode]) -> None:
    """From runs to the models that they made: by way of the checkpoints that they left, if they did."""
    made: dict[str, list[str]] = defaultdict(list)
    for node in models:
        if "run" in node.details:
            made[node.details["run"]].append(node.id)
    parts.add_runs(made)
    direct = set(made)
    for run_id, row in _left(parts, ArtefactRow.run_id.in_(sorted(made)), ArtefactRow.kind == CHECKPOINT):
        checkpoint = parts.add_artefact(row)
        parts.edges |= {(run_id, checkpoint), *((checkpoint, uri) for uri in made[row.run_id])}
        direct.discard(row.run_id)
    known = [run_id for run_id in direct if RUN + run_id in parts.nodes]  # others are runs elsewhere
    parts.edges |= {(RUN + run_id, uri) for run_id in known for uri in made[run_id]}


def _link_used(parts: Parts, runs: Iterable[LineageNode]) -> None:
    """From models to the runs that used them, and to the trainings that began from them."""
    used: dict[str, list[str]] = defaultdict(list)
    for run in runs:
        for uri in parts.models_of(run):
            used[uri].append(run.id)
    for uri, model_id in parts.add_models(used).items():
        parts.edges |= {(model_id, run_id) for run_id in used[uri]}


def _link_read(parts: Parts, run_ids: Collection[str]) -> None:
    """From files of data to the runs that read them."""
    own = (RunDataRow.run_id, RunDataRow.split)
    wanted = select(*own, RunDataRow.sha256).where(RunDataRow.run_id.in_(run_ids))
    few = Few(own, (RunDataRow.path,), lambda row: f"{row.split} data".lstrip(), is_before=True)
    read = {(row.sha256, run_id) for run_id, row in parts.first(wanted, lambda row: RUN + row.run_id, few)}
    parts.add_data(sha256 for sha256, _ in read)
    parts.edges |= {(DATA + sha256, run_id) for sha256, run_id in read}


def _link_copied(parts: Parts, contents: Collection[str]) -> None:
    """From what runs left to files of data that are the same."""
    wanted = select(*LEFT).join(RunRow, RunRow.id == ArtefactRow.run_id)
    same = (ArtefactRow.sha256.in_(contents), ArtefactRow.bytes > 0, ArtefactRow.kind != ONLY_TO_SEE)
    newest = (ArtefactRow.id.desc(),)
    few = Few((ArtefactRow.sha256,), newest, lambda _: "that are the same", is_before=True)
    for data_id, row in parts.first(wanted.where(*same), lambda row: DATA + row.sha256, few):
        parts.edges.add((parts.add_artefact(row), data_id))


# After -------------------------------------------------------------------------------------------------


def _link_users(parts: Parts, names: Mapping[str, str]) -> None:
    """From models, by their URIs, to the runs that used them."""
    wanted = select(RunRow.id, RunRow.kind, RunRow.model)
    of_them = (RunRow.model.in_(sorted(names)), RunRow.kind.not_in(MAKING))
    newest = (RunRow.started_at.desc(), RunRow.id.desc())
    few = Few((RunRow.model, RunRow.kind), newest, lambda row: f"{row.kind} runs", is_before=False)
    used = [
        (model_id, row.id)
        for model_id, row in parts.first(wanted.where(*of_them), lambda row: names[row.model], few)
    ]
    parts.add_runs(run_id for _, run_id in used)
    parts.edges |= {(model_id, RUN + run_id) for model_id, run_id in used}


def _link_beginners(parts: Parts, names: Mapping[str, str]) -> None:
    """From models to the trainings whose configuration names them."""
    begun: dict[str, list[str]] = defaultdict(list)
    for run_id, named in parts.trainings_with_models():
        for model_id in sorted({names[name] for name in named if name in names}):
            begun[model_id].append(run_id)
    for model_id, run_ids in begun.items():
        shown = run_ids[: parts.limit]
        parts.add_runs(shown)
        parts.edges |= {(model_id, RUN + run_id) for run_id in shown}
        parts.add_more(model_id, "train runs", len(run_ids) - len(shown), is_before=False)


def _link_made(parts: Parts, run_ids: Collection[str]) -> None:
    """From runs to the models that they made."""
    own = (ModelRow.run_id,)
    wanted = select(ModelRow.run_id, ModelRow.name, ModelRow.version).where(ModelRow.run_id.in_(run_ids))
    few = Few(own, (ModelRow.id.desc(),), lambda _: "models", is_before=False)
    rows = list(parts.first(wanted, lambda row: RUN + row.run_id, few))
    made = parts.add_models({f"models:/{row.name}/{row.version}" for _, row in rows})
    _link_makers(parts, [parts.nodes[model_id] for model_id in made.values()])
    makers = {one for one in run_ids if parts.nodes[RUN + one].details["kind"] in MAKING}
    without = {RUN_SCHEME + one for one in makers - {row.run_id for _, row in rows}}
    if not without:
        return
    used = select(RunRow.model).where(RunRow.model.in_(sorted(without))).distinct()
    named = {name for _, names in parts.trainings_with_models() for name in names}
    for uri in (without & named).union(filter(None, parts.session.scalars(used))):
        parts.edges.add((RUN + uri.removeprefix(RUN_SCHEME), parts.add(used_node(uri))))


def _link_left(parts: Parts, run_ids: Collection[str]) -> None:
    """From runs to what they left."""
    for run_id, row in _left(parts, ArtefactRow.run_id.in_(run_ids), ArtefactRow.kind != ONLY_TO_SEE):
        parts.edges.add((run_id, parts.add_artefact(row)))


def _left(parts: Parts, *which: ColumnElement[bool]) -> Iterator[tuple[str, Any]]:
    """What runs left, with the id of each one's run."""
    wanted = select(*LEFT).join(RunRow, RunRow.id == ArtefactRow.run_id).where(*which)
    own = (ArtefactRow.run_id, ArtefactRow.kind)
    few = Few(own, (ArtefactRow.id.desc(),), lambda row: _several(row.kind), is_before=False)
    return parts.first(wanted, lambda row: RUN + row.run_id, few)


def _link_copies(parts: Parts, left: Iterable[LineageNode]) -> None:
    """From what runs left to files of data that are the same."""
    contents = {node.details["sha256"] for node in left if node.details["bytes"] != "0"}
    read = select(RunDataRow.sha256).where(RunDataRow.sha256.in_(sorted(contents))).distinct()
    known = {sha256 for (sha256,) in parts.session.execute(read)}
    parts.add_data(known)
    parts.edges |= {
        (node.id, DATA + node.details["sha256"]) for node in left if node.details["sha256"] in known
    }


def _link_readers(parts: Parts, contents: Collection[str]) -> None:
    """From files of data to the runs that read them."""
    own = (RunDataRow.sha256, RunRow.id, RunRow.kind, RunRow.started_at)
    wanted = select(*own).join(RunRow, RunRow.id == RunDataRow.run_id)
    once = wanted.where(RunDataRow.sha256.in_(contents)).group_by(*own)
    newest = (RunRow.started_at.desc(), RunRow.id.desc())
    few = Few((RunDataRow.sha256, RunRow.kind), newest, lambda row: f"{row.kind} runs", is_before=False)
    read = [(data_id, row.id) for data_id, row in parts.first(once, lambda row: DATA + row.sha256, few)]
    parts.add_runs(run_id for _, run_id in read)
    parts.edges |= {(data_id, RUN + run_id) for data_id, run_id in read}


def _names(parts: Parts, models: Iterable[LineageNode]) -> dict[str, str]:
    """Ids of models by what they may be called: their URIs, and those of runs that they stand for."""
    names = {node.id: node.id for node in models}
    made = {f"{RUN_SCHEME}{node.details['run']}" for node in models if "run" in node.details}
    return names | {uri: model for uri, model in parts.meant(made).items() if model in names}


def _by_kind(parts: Parts, ids: Collection[str]) -> tuple[list[LineageNode], ...]:
    """Runs, data, models, and what runs left."""
    nodes = [parts.nodes[node_id] for node_id in sorted(ids)]
    kinds = ((RUN,), (DATA,), (SCHEME, RUN_SCHEME), (f"{CHECKPOINT}:", FILE))
    return tuple([node for node in nodes if node.id.startswith(kind)] for kind in kinds)


def _several(kind: str) -> str:
    """``checkpoints``, ``predictions``."""
    return kind if kind.endswith("s") else f"{kind}s"


def _run_id(run: LineageNode) -> str:
    return run.id.removeprefix(RUN)
