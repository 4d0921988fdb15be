"""Fills a new registry with what a plan says; inside a session of a database's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from seqloom.registry.mirror import RunRecord
from seqloom.registry.planning import Plan
from seqloom.registry.records import Artefact, Event, Model, Run
from seqloom.registry.scores import Owner, enter
from seqloom.registry.tables import (
    AliasChangeRow,
    AliasRow,
    ArtefactRow,
    DataFileRow,
    EventRow,
    ModelRow,
    NoteRow,
    RunDataRow,
    RunRow,
    TagRow,
)

APART = {"data", "scores", "tags", "notes", "aliases"}
"""What of a run or a model is in tables of its own."""


def fill(session: Session, plan: Plan) -> None:
    """Enters all of a plan."""
    session.add_all(RunRow(**_columns(record.run)) for record in plan.records)
    session.flush()
    _enter_data(session, plan.records)
    for record in plan.records:
        _enter_what_hangs_on(session, record.run, Owner("run_id", record.run.id))
        _enter(session, EventRow, [_of(record.run, event) for event in record.events])
        _enter(session, ArtefactRow, [_of(record.run, artefact) for artefact in record.artefacts])
    for model in plan.models:
        row = ModelRow(**_columns(model))
        session.add(row)
        session.flush()
        _enter_what_hangs_on(session, model, Owner("model_id", row.id))
    for (name, alias), version in plan.aliases.items():
        session.add(AliasRow(name=name, alias=alias, version=version))
    _enter(session, AliasChangeRow, [_columns(change) for change in plan.changes])


def _enter_what_hangs_on(session: Session, record: Run | Model, whose: Owner) -> None:
    owner: dict[str, Any] = {whose.column: whose.id}
    enter(session, whose, record.scores)
    _enter(session, TagRow, [{**owner, "key": key, "value": value} for key, value in record.tags.items()])
    _enter(session, NoteRow, [{**owner, **_columns(note)} for note in record.notes])


def _enter_data(session: Session, records: Sequence[RunRecord]) -> None:
    """Contents once each, with what any run knows of them; and who read them."""
    contents: dict[str, dict[str, int]] = {}
    read = []
    for record in records:
        for file in record.run.data:
            known = {"bytes": file.bytes, "rows": file.rows}
            content = contents.setdefault(file.sha256, {})
            content.update({name: value for name, value in known.items() if value is not None})
            names = {"run_id": record.run.id, "path": file.path, "split": file.split}
            read.append({**names, "sha256": file.sha256})
    unknown = {"bytes": None, "rows": None}
    _enter(session, DataFileRow, [{"sha256": sha, **unknown, **known} for sha, known in contents.items()])
    _enter(session, RunDataRow, read)


def _enter(session: Session, row: Any, values: Sequence[dict[str, Any]]) -> None:
    if values:
        session.execute(insert(row), values)


def _of(run: Run, record: Event | Artefact) -> dict[str, Any]:
    return {**_columns(record), "run_id": run.id}


def _columns(record: Any) -> dict[str, Any]:
    """A record's fields that are columns of its table."""
    return {field.name: getattr(record, field.name) for field in fields(record) if field.name not in APART}
