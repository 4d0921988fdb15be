"""Fills Seqloom's registry with made-up runs, by bulk insert into its tables.

That its verbs would have left the same is checked with the first runs, which are entered by them into a
registry beside it.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from histories import History, histories
from sqlalchemy import insert, select

from seqloom.registry.columns import Base
from seqloom.registry.records import DataFile, Model, Run, Score
from seqloom.registry.scores import ScoreRow, SummaryRow
from seqloom.registry.settings import RunSettingRow, SettingRow, settings
from seqloom.registry.store import Registry
from seqloom.registry.tables import AliasRow, DataFileRow, EventRow, ModelRow, RunDataRow, RunRow, TagRow

TABLES: tuple[type[Base], ...] = (
    *(DataFileRow, SettingRow, RunRow, RunSettingRow, RunDataRow, EventRow, TagRow),
    *(ModelRow, AliasRow, ScoreRow, SummaryRow),
)
BATCH = 500
"""Runs inserted at once."""
CHECKED = 10
SIGNATURE = "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0"
FACTS = {
    "device": "cpu",
    "device_reason": "no GPU was found",
    "versions": {"python": "3.11.7", "torch": "2.14.1", "seqloom": "0.1.0", "seqloom-text": "0.1.0"},
    "environment": {
        "platform": "Linux",
        "cpu": "Zen 4",
        "cores": "2",
        "memory": "24 GB",
        "command": "train",
    },
}
Rows = dict[type, list[dict[str, Any]]]


def facts(history: History) -> dict[str, Any]:
    """What is told of a run as it starts, besides its data."""
    return {
        **FACTS,
        **{key: getattr(history, key) for key in ("id", "kind", "name", "task")},
        "config": history.parameters,
        "seed": history.parameters["train"]["seed"],
        "git": {"commit": f"{history.parameters['train']['seed']:040x}", "branch": "main", "dirty": "no"},
        "folder": f"/runs/{history.id}",
    }


def data(history: History) -> list[DataFile]:
    """Four files of each name of a model."""
    return [
        DataFile(
            path=f"{split}.{side}", sha256=f"{history.name}/{split}/{side}", split=split, bytes=9, rows=1
        )
        for split in ("train", "valid")
        for side in ("source", "target")
    ]


def scores(history: History) -> list[Score]:
    """All of a run."""
    return [
        Score(metric=metric, value=value, split="valid", step=step, signature=SIGNATURE)
        for metric, value, step in history.scores
    ]


class Tables:
    """Collects rows."""

    def __init__(self) -> None:
        self.known: set[str | int] = set()
        self.models = 0

    def rows(self, history: History) -> Iterator[tuple[type, dict[str, Any]]]:
        """All that is known of a run and of its model."""
        uri = f"models:/{history.name}/{history.version}" if history.version else None
        told = {key: getattr(history, key) for key in ("status", "started_at", "ended_at", "error")}
        yield RunRow, {**facts(history), **told, "model": uri}
        for number, setting in settings(history.parameters).items():
            if number not in self.known:
                self.known.add(number)
                yield SettingRow, setting
            yield RunSettingRow, {"setting_id": number, "run_id": history.id}
        for file in data(history):
            if file.sha256 not in self.known:
                self.known.add(file.sha256)
                yield DataFileRow, {"sha256": file.sha256, "bytes": file.bytes, "rows": file.rows}
            named = {"split": file.split, "path": file.path, "sha256": file.sha256}
            yield RunDataRow, {"run_id": history.id, **named}
        yield EventRow, {"run_id": history.id, "kind": "started", "at": history.started_at, "details": {}}
        for key, value in history.tags.items():
            yield TagRow, {"run_id": history.id, "key": key, "value": value}
        yield from self.measured(scores(history), run_id=history.id)
        if uri is not None:
            self.models += 1
            version = {"name": history.name, "version": history.version}
            folder = {"folder": f"/runs/{history.id}/model", "sha256": f"{self.models:064x}"}
            known = {"task": history.task, "run_id": history.id, "created_at": history.ended_at}
            yield ModelRow, {"id": self.models, **version, **folder, **known}
            for alias in history.aliases:
                yield AliasRow, {**version, "alias": alias}
            yield from self.measured(scores(history)[-3:], model_id=self.models)

    def measured(self, scores: Iterable[Score], **owner: Any) -> Iterator[tuple[type, dict[str, Any]]]:
        """An owner's scores and what they come to."""
        owner = {"run_id": None, "model_id": None, **owner}
        sums: dict[str, dict[str, Any]] = {}
        for score in scores:
            names = ("metric", "value", "split", "step", "signature")
            yield ScoreRow, {**owner, **{name: getattr(score, name) for name in names}, "parts": {}}
            value = score.value  # they come with rising steps
            known = sums.setdefault(score.metric, {"least": value, "most": value})
            known |= {"step": score.step, "latest": value}
            known |= {"least": min(value, known["least"]), "most": max(value, known["most"])}
        for metric, sum_ in sums.items():
            yield SummaryRow, {**owner, "metric": metric, **sum_}


def fill(registry: Registry, made: Iterable[History]) -> None:
    """Inserts all, in one transaction."""
    tables, found, waiting = Tables(), {table: [] for table in TABLES}, 0
    with registry._writing() as session:
        connection = session.connection()

        def flush() -> None:
            for table, rows in found.items():
                if rows:
                    connection.execute(insert(table), rows)
                    rows.clear()

        for history in made:
            for table, row in tables.rows(history):
                found[table].append(row)
            waiting += 1
            if waiting % BATCH == 0:
                flush()
        flush()


def enter(registry: Registry, history: History) -> tuple[Run, Model | None]:
    """Enters a run as jobs do."""
    registry.start_run(**facts(history), data=data(history))
    registry.add_event(history.id, "started")
    entered = scores(history)
    for start in range(0, len(entered), 3):
        registry.add_scores(history.id, entered[start : start + 3])
    registry.tag_run(history.id, history.tags)
    model = None
    if history.version:
        folder = f"/runs/{history.id}/model"
        model = registry.add_model(history.name, history.task, history.id, folder, "", entered[-3:])
    if history.status != "running":
        registry.end_run(history.id, history.status, history.error, history.ended_at)
    return registry.run(history.id), model


def sums(registry: Registry, run_id: str) -> list[tuple[Any, ...]]:
    """What the registry keeps of a run's scores."""
    columns = (SummaryRow.metric, SummaryRow.step, SummaryRow.latest, SummaryRow.least, SummaryRow.most)
    with registry._reading() as session:
        wanted = select(*columns).where(SummaryRow.run_id == run_id).order_by(SummaryRow.metric)
        return [tuple(row) for row in session.execute(wanted)]


def told(registry: Registry, run_id: str) -> set[int]:
    """What the registry keeps of a run's configuration besides itself."""
    with registry._reading() as session:
        return set(session.scalars(select(RunSettingRow.setting_id).where(RunSettingRow.run_id == run_id)))


def check(registry: Registry, made: Iterable[History]) -> None:
    """Raises where the verbs would have left something else."""
    for history in made:
        with Registry("sqlite://", clock=lambda moment=history.started_at: moment) as beside:
            run, model = enter(beside, history)
            kept = replace(registry.run(run.id), model=run.model)  # beside it, each is the first version
            if (run, sums(beside, run.id)) != (kept, sums(registry, run.id)):
                raise SystemExit(f"run {run.id} would have been {run}, and is {kept}")
            if told(beside, run.id) != told(registry, run.id):
                raise SystemExit(f"run {run.id} would have been told something else")
            uri = f"{history.name}/{history.version}"
            if model is not None and model.scores != registry.model(uri).scores:
                raise SystemExit(f"the scores of model {uri} would have been {model.scores}")


def main() -> None:
    """Makes the database."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--runs", type=int)
    parser.add_argument("--scores", type=int)
    given = parser.parse_args()
    with Registry(given.url) as registry:
        registry.prepare()
        started = time.perf_counter()
        made = list(histories(given.runs, given.scores))
        fill(registry, made)
        seconds = time.perf_counter() - started
        check(registry, made[:CHECKED])
    print(json.dumps({"filling": seconds}))


if __name__ == "__main__":
    main()
