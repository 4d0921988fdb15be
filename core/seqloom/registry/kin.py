"""What is next to the nodes of a lineage: before them, or after them; inside a session of the store's.

Any number of nodes is asked about at once, with a fixed number of statements.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import PurePosixPath
from typing import Final

from sqlalchemy import String, cast, or_, select

from seqloom.registry.lookup import RUN_SCHEME, SCHEME
from seqloom.registry.nodes import CHECKPOINT, DATA, FILE, RUN, used_node
from seqloom.registry.parts import MAKING, Few, Parts, named_models
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
        names = _names(models)
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
    """From runs to the models that they made: by way of the checkpoint of their step, if it is there."""
    made = {node.id: node.details["run"] for node in models if "run" in node.details}
    parts.add_runs(made.values())
    wanted = select(*LEFT).join(RunRow, RunRow.id == ArtefactRow.run_id)
    of_them = (ArtefactRow.run_id.in_(sorted(set(made.values()))), ArtefactRow.kind == CHECKPOINT)
    at_step = {(row.run_id, _step(row.path)): row for row in parts.session.execute(wanted.where(*of_them))}
    for uri, run_id in made.items():
        if RUN + run_id not in parts.nodes:  # a URI of a run elsewhere
            continue
        row = at_step.get((run_id, parts.nodes[uri].details.get("step", "")))
        if row is None:
            parts.edges.add((RUN + run_id, uri))
        else:
            parts.edges |= {(RUN + run_id, parts.add_artefact(row)), (parts.add_artefact(row), uri)}


def _step(path: str) -> str:
    """The step of a checkpoint, as its folder is called; nothing where that is no number."""
    name = PurePosixPath(path).name
    return str(int(name)) if name.isascii() and name.isdecimal() else ""


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
    few = Few((ArtefactRow.sha256,), (ArtefactRow.id.desc(),), lambda _: "the same from runs", True)
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
    config = cast(RunRow.config, String)  # JSON: a value stands in quotes
    named = or_(*(config.contains(f'"{name}"', autoescape=True) for name in names))
    wanted = select(RunRow.id, RunRow.config).where(RunRow.kind == "train", named)
    begun: dict[str, list[str]] = defaultdict(list)
    for row in parts.session.execute(wanted.order_by(RunRow.started_at.desc(), RunRow.id.desc())):
        for model_id in sorted({names[name] for name in named_models(row.config) if name in names}):
            begun[model_id].append(row.id)
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
    without = {RUN_SCHEME + one for one in run_ids} - {RUN_SCHEME + row.run_id for _, row in rows}
    used = select(RunRow.model).where(RunRow.model.in_(sorted(without))).distinct()
    for uri in filter(None, parts.session.scalars(used)):
        parts.edges.add((RUN + uri.removeprefix(RUN_SCHEME), parts.add(used_node(uri))))


def _link_left(parts: Parts, run_ids: Collection[str]) -> None:
    """From runs to what they left."""
    own = (ArtefactRow.run_id, ArtefactRow.kind)
    wanted = select(*LEFT).join(RunRow, RunRow.id == ArtefactRow.run_id)
    of_them = (ArtefactRow.run_id.in_(run_ids), ArtefactRow.kind != ONLY_TO_SEE)
    few = Few(own, (ArtefactRow.id.desc(),), lambda row: f"{row.kind} of it", is_before=False)
    for run_id, row in parts.first(wanted.where(*of_them), lambda row: RUN + row.run_id, few):
        parts.edges.add((run_id, parts.add_artefact(row)))


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


def _names(models: Iterable[LineageNode]) -> dict[str, str]:
    """Ids of models by what they may be called: their URIs, and those of the runs that made them."""
    made = {f"{RUN_SCHEME}{node.details['run']}": node.id for node in models if "run" in node.details}
    return made | {node.id: node.id for node in models}


def _by_kind(parts: Parts, ids: Collection[str]) -> tuple[list[LineageNode], ...]:
    """Runs, data, models, and what runs left."""
    nodes = [parts.nodes[node_id] for node_id in sorted(ids)]
    kinds = ((RUN,), (DATA,), (SCHEME, RUN_SCHEME), (f"{CHECKPOINT}:", FILE))
    return tuple([node for node in nodes if node.id.startswith(kind)] for kind in kinds)


def _run_id(run: LineageNode) -> str:
    return run.id.removeprefix(RUN)
