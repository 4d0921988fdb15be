"""Fills MLflow's SQLite store with made-up runs, by bulk insert through its own SQLAlchemy models.

Its client would take about 60 ms a run. That both ways leave the same rows is checked with the first runs,
which are logged by the client into a database beside it.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from histories import History, histories
from mlflow.entities import Metric, Param, RunTag
from mlflow.store.tracking.dbmodels.models import SqlLatestMetric, SqlMetric, SqlParam, SqlRun, SqlTag
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.tracking import MlflowClient
from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

STATUS = {"finished": "FINISHED", "failed": "FAILED", "interrupted": "KILLED", "running": "RUNNING"}
LOCAL = {
    "source_type": "UNKNOWN",
    "source_name": "",
    "source_version": "",
    "entry_point_name": "",
    "user_id": "unknown",
    "lifecycle_stage": "active",
}
"""What the client notes of a run that nobody said more about."""
TABLES = (SqlRun, SqlMetric, SqlLatestMetric, SqlParam, SqlTag)
CHECKED = 10
BATCH = 500
"""Runs inserted at once."""


def flat(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """A nested job as MLflow's parameters, which are texts."""
    for key, value in values.items():
        within = dict(enumerate(value)) if isinstance(value, list) else value
        if isinstance(within, Mapping) and within:
            yield from flat(within, f"{above}{key}.")
        else:
            yield f"{above}{key}", str(value)


def milliseconds(history: History) -> tuple[int, int | None]:
    """When a run began and ended."""
    ended = None if history.ended_at is None else int(history.ended_at.timestamp() * 1000)
    return int(history.started_at.timestamp() * 1000), ended


def tags_of(history: History) -> dict[str, str]:
    """A run's tags; what MLflow has no column for is one."""
    name = {"mlflow.runName": history.name}
    return {**history.tags, **name, "task": history.task, "kind": history.kind}


def rows(history: History, experiment: int, folder: str) -> dict[type, list[dict[str, Any]]]:
    """Of each table a run's rows."""
    started, ended = milliseconds(history)
    metrics = [
        {"key": name, "value": value, "timestamp": started, "step": step, "is_nan": False}
        for name, value, step in history.scores
    ]
    latest = {row["key"]: row for row in metrics}  # they come with rising steps
    found = {
        SqlRun: [
            {
                **LOCAL,
                "name": history.name,
                "status": STATUS[history.status],
                "start_time": started,
                "end_time": ended,
                "artifact_uri": f"{folder}/{history.id}/artifacts",
                "experiment_id": experiment,
            }
        ],
        SqlMetric: metrics,
        SqlLatestMetric: list(latest.values()),
        SqlParam: [{"key": key, "value": value} for key, value in flat(history.parameters)],
        SqlTag: [{"key": key, "value": value} for key, value in tags_of(history).items()],
    }
    return {table: [{**row, "run_uuid": history.id} for row in each] for table, each in found.items()}


def insert(session: Session, batch: Iterable[History], experiment: int, folder: str) -> None:
    """Enters some runs."""
    found: dict[type, list[dict[str, Any]]] = {table: [] for table in TABLES}
    for history in batch:
        for table, each in rows(history, experiment, folder).items():
            found[table] += each
    for table, each in found.items():
        session.execute(table.__table__.insert(), each)


def log(client: MlflowClient, experiment: str, history: History) -> str:
    """Enters a run as its users do; returns the id that it was given."""
    started, ended = milliseconds(history)
    run_id: str = client.create_run(experiment, started, tags_of(history), history.name).info.run_id
    parameters = [Param(key, value) for key, value in flat(history.parameters)]
    client.log_batch(run_id, params=parameters, tags=[RunTag(*tag) for tag in history.tags.items()])
    for start in range(0, len(history.scores), 1000):
        part = history.scores[start : start + 1000]
        client.log_batch(run_id, [Metric(name, value, started, step) for name, value, step in part])
    if ended is not None:
        client.set_terminated(run_id, STATUS[history.status], ended)
    return run_id


def contents(url: str, ids: Mapping[str, str]) -> list[list[Any]]:
    """What a database holds of some runs; ids as others call them instead of its own."""
    store = SqlAlchemyStore(url, "unused")
    found = []
    with Session(store.engine) as session:
        for table in TABLES:
            names = [
                one.key for one in inspect(table).columns if one.key not in {"run_uuid", "artifact_uri"}
            ]
            columns = [table.run_uuid, *(getattr(table, name) for name in names)]
            chosen = session.execute(select(*columns).where(table.run_uuid.in_(list(ids)))).all()
            found.append(sorted((ids[run_id], *map(repr, rest)) for run_id, *rest in chosen))
    store.engine.dispose()
    return found


def check(url: str, some: Iterable[History]) -> None:
    """Raises where the client would have left other rows."""
    some = list(some)
    with tempfile.TemporaryDirectory() as folder:
        beside = f"sqlite:///{folder}/beside.db"
        client = MlflowClient(tracking_uri=beside)
        experiment = client.create_experiment("runs", artifact_location=f"{folder}/artifacts")
        ids = {log(client, experiment, history): history.id for history in some}
        logged, inserted = contents(beside, ids), contents(url, {one: one for one in ids.values()})
    for table, ours, theirs in zip(TABLES, inserted, logged, strict=True):
        if ours != theirs:
            different = next((pair for pair in zip(ours, theirs, strict=False) if len(set(pair)) > 1), "")
            raise SystemExit(
                f"{table.__tablename__}: {len(ours)} rows inserted, {len(theirs)} logged: {different}"
            )


def main() -> None:
    """Makes the database."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--runs", type=int)
    parser.add_argument("--scores", type=int)
    given = parser.parse_args()
    started = time.perf_counter()
    store = SqlAlchemyStore(given.url, "unused")
    folder = str(Path(given.url.removeprefix("sqlite:///")).parent / "artifacts")
    experiment = int(store.create_experiment("runs", artifact_location=folder))
    made = list(histories(given.runs, given.scores))
    with Session(store.engine) as session, session.begin():
        for start in range(0, len(made), BATCH):
            insert(session, made[start : start + BATCH], experiment, folder)
    store.engine.dispose()
    seconds = time.perf_counter() - started
    check(given.url, made[:CHECKED])
    print(json.dumps({"filling": seconds}))


if __name__ == "__main__":
    main()
