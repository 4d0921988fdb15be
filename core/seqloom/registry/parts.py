"""The parts of a lineage that were found so far; inside a session of the store's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, String, cast, func, or_, select, tuple_
from sqlalchemy.orm import Session

from seqloom.registry.lookup import RUN_SCHEME, SCHEME
from seqloom.registry.nodes import (
    DATA,
    NUMBERED,
    RUN,
    artefact_node,
    data_node,
    model_node,
    more_node,
    run_node,
    score_line,
    used_node,
)
from seqloom.registry.records import LineageNode, Model
from seqloom.registry.scores import ScoreRow
from seqloom.registry.tables import DataFileRow, ModelRow, RunDataRow, RunRow

MAKING: Final = ("train", "import")
"""Kinds of runs whose model is the one they made; that of others is the one they used."""
ABOUT_RUNS: Final = (
    *(RunRow.id, RunRow.kind, RunRow.status, RunRow.name, RunRow.task, RunRow.started_at),
    *(RunRow.model, RunRow.deleted_at, RunRow.purged_at, RunRow.config),
)


class Few(NamedTuple):
    """How many are shown of what lies next to a node.

    Attributes:
        of: The columns that the rows next to one node have alike.
        first: What comes first among these.
        what: What a row is, for people, in the plural.
        is_before: Whether the rows came before the node.
    """

    of: Sequence[Any]
    first: Sequence[Any]
    what: Callable[[Any], str]
    is_before: bool


class Parts:
    """Nodes, and what came from what.

    Args:
        session: Of the database.
        limit: See below.

    Attributes:
        limit: How many of a kind are shown next to a node.
        nodes: By id.
        edges: Ids of a node and of one that came from it.
    """

    def __init__(self, session: Session, limit: int) -> None:
        self.session = session
        self.nodes: dict[str, LineageNode] = {}
        self.edges: set[tuple[str, str]] = set()
        self.limit = limit
        self._named: dict[str, tuple[str, ...]] = {}
        self._beginners: list[tuple[str, tuple[str, ...]]] | None = None

    def first(
        self, wanted: Select[*tuple[Any, ...]], next_to: Callable[[Any], str], few: Few
    ) -> Iterator[tuple[str, Any]]:
        """The first rows next to each node, with its id; nodes tell how many more there are."""
        ranked = wanted.add_columns(
            func.row_number().over(partition_by=few.of, order_by=few.first).label("place"),
            func.count().over(partition_by=few.of).label("total"),
        ).subquery()
        rows = self.session.execute(select(ranked).where(ranked.c.place <= self.limit)).all()
        more: dict[tuple[str, str], int] = defaultdict(int)
        for row in rows:
            if row.place == 1:
                more[next_to(row), few.what(row)] += row.total - self.limit
            yield next_to(row), row
        for (node_id, what), count in more.items():
            self.add_more(node_id, what, count, is_before=few.is_before)

    def add_more(self, node_id: str, what: str, count: int, *, is_before: bool) -> None:
        """Says how many more there are next to a node, if there are."""
        if count > 0:
            rest = self.add(more_node(count, what, node_id))
            self.edges.add((rest, node_id) if is_before else (node_id, rest))

    def missing(self, ids: Iterable[str], before: str = "") -> list[str]:
        """Those of which there is no node yet, sorted; ids of nodes have that text before them."""
        return sorted({one for one in ids if before + one not in self.nodes})

    def add(self, node: LineageNode) -> str:
        """Adds a node; returns its id."""
        self.nodes[node.id] = node
        return node.id

    def add_runs(self, run_ids: Iterable[str]) -> None:
        """Adds nodes for runs, with the newest of each score of those that do not train."""
        new = self.missing(run_ids, RUN)
        if not new:
            return
        newest = func.row_number().over(
            partition_by=(ScoreRow.run_id, ScoreRow.split, ScoreRow.metric),
            order_by=(ScoreRow.step.desc(), ScoreRow.id.desc()),
        )
        ranked = (
            select(ScoreRow.run_id, ScoreRow.split, ScoreRow.metric, ScoreRow.value, newest.label("place"))
            .join(RunRow, RunRow.id == ScoreRow.run_id)
            .where(ScoreRow.run_id.in_(new), RunRow.kind.not_in(MAKING), ~ScoreRow.metric.contains("/"))
            .subquery()
        )
        scores: dict[str, list[tuple[str, str, float]]] = defaultdict(list)
        for row in self.session.execute(select(ranked).where(ranked.c.place == 1)):
            scores[row.run_id].append((row.split, row.metric, row.value))
        for row in self.session.execute(select(*ABOUT_RUNS).where(RunRow.id.in_(new))):
            self.add(run_node(row, score_line(scores[row.id])))
            self._named[row.id] = named_models(row.config) if row.kind == "train" else ()

    def models_of(self, run: LineageNode) -> tuple[str, ...]:
        """The models that a run used or, being a training, names in its configuration; as it calls them."""
        if run.details["kind"] in MAKING:
            return self._named[run.id.removeprefix(RUN)]
        return (run.details["model"],) if "model" in run.details else ()

    def trainings_with_models(self) -> Sequence[tuple[str, tuple[str, ...]]]:
        """Ids of all trainings whose configurations name models, newest first, with these names.

        Nothing indexes what configurations say, so all are looked at, once.
        """
        if self._beginners is None:
            config = cast(RunRow.config, String)  # JSON: a text stands in quotes
            named = or_(
                *(config.contains(f'"{scheme}', autoescape=True) for scheme in (SCHEME, RUN_SCHEME))
            )
            newest = (RunRow.started_at.desc(), RunRow.id.desc())
            wanted = select(RunRow.id, RunRow.config).where(RunRow.kind == "train", named)
            rows = self.session.execute(wanted.order_by(*newest))
            self._beginners = [(run_id, named_models(config)) for run_id, config in rows]
        return self._beginners

    def add_models(self, uris: Collection[str]) -> dict[str, str]:
        """Adds nodes for models; returns the id of each by the URI by which it was asked for."""
        found: dict[str, Model] = {}
        for model in self._model_rows(sorted(uris)) if uris else ():
            found |= {model.uri: model, f"{RUN_SCHEME}{model.run_id}": model}
        nodes = {uri: model_node(found[uri]) if uri in found else used_node(uri) for uri in uris}
        return {uri: self.add(node) for uri, node in nodes.items()}

    def meant(self, uris: Collection[str]) -> dict[str, str]:
        """Ids of the models that ``runs:/ID`` stand for, by these; of those that are registered."""
        return {f"{RUN_SCHEME}{model.run_id}": model.uri for model in self._model_rows(sorted(uris))}

    def _model_rows(self, uris: Sequence[str]) -> Iterator[Model]:
        """The models that are called so; of those of one run the one that it stands for comes last."""
        numbers = [(match[1], int(match[2])) for match in map(NUMBERED.fullmatch, uris) if match]
        runs = [uri.removeprefix(RUN_SCHEME) for uri in uris if uri.startswith(RUN_SCHEME)]
        called = tuple_(ModelRow.name, ModelRow.version).in_(numbers) | ModelRow.run_id.in_(runs)
        best_last = (ModelRow.deleted_at.is_(None), ModelRow.id)
        for row in self.session.scalars(select(ModelRow).where(called).order_by(*best_last)):
            yield row.record()

    def add_data(self, contents: Iterable[str]) -> None:
        """Adds nodes for files of data, by their sha256."""
        new = self.missing(contents, DATA)
        if not new:
            return
        read_as: dict[str, set[tuple[str, str]]] = defaultdict(set)
        names = select(RunDataRow.sha256, RunDataRow.split, RunDataRow.path).distinct()
        for sha256, split, path in self.session.execute(names.where(RunDataRow.sha256.in_(new))):
            read_as[sha256].add((split, path))
        sizes = select(DataFileRow.sha256, DataFileRow.bytes, DataFileRow.rows)
        for sha256, size, rows in self.session.execute(sizes.where(DataFileRow.sha256.in_(new))):
            self.add(data_node(sha256, size, rows, read_as[sha256]))

    def add_artefact(self, row: Any) -> str:
        """Adds a node for what a run left, of a row with that run's folder; returns its id."""
        return self.add(artefact_node(row, row.folder))


def named_models(config: Any) -> tuple[str, ...]:
    """The models that a configuration names by their URIs, anywhere; without recursion."""
    found: set[str] = set()
    waiting = [config]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str) and value.startswith((SCHEME, RUN_SCHEME)):
            found.add(value)
        elif isinstance(value, Mapping):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return tuple(sorted(found))
