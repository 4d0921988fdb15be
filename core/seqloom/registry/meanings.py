"""What do the fields of a query stand for, in runs and in models?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from sqlalchemy import ColumnElement, String, cast, exists, func, literal, select
from sqlalchemy.orm import Session

from seqloom.errors import did_you_mean, unknown_name
from seqloom.registry.configured import Configured, keys_of
from seqloom.registry.language import Field, mistake
from seqloom.registry.lookup import SCHEME, metrics
from seqloom.registry.tables import AliasRow, ModelRow, RunRow, ScoreRow, TagRow

Expression = ColumnElement[Any]
Clause = ColumnElement[bool]
Test = Callable[[Any], Clause]

RUN_COLUMNS: Final = (
    *("id", "kind", "status", "name", "task", "seed", "device", "device_reason"),
    *("folder", "model", "started_at", "ended_at", "error"),
)
MODEL_COLUMNS: Final = ("name", "version", "task", "run_id", "folder", "sha256", "created_at")
CREATED: Final = "created"
CONFIG: Final = "config."
TAG: Final = "tag."
RECENT: Final = 20
"""Runs whose configurations tell what a misspelt key may have meant."""


@dataclass(frozen=True)
class Meaning:
    """What a field stands for in a row.

    Attributes:
        kind: The type of its values; None where rows differ.
        holds: That a value of a type passes a test; nothing (NULL) or false where there is none.
        is_missing: That there is no value.
        orders: What rows are sorted by, and then by; nothing where there may be several values.
    """

    kind: type | None
    holds: Callable[[type, Test], Clause]
    is_missing: Clause
    orders: Sequence[Expression] = ()


class Meanings:
    """What fields stand for, in runs or in models.

    Args:
        session: Of the database that is asked.
        row: :class:`RunRow` or :class:`ModelRow`.
    """

    def __init__(self, session: Session, row: type[RunRow] | type[ModelRow]) -> None:
        self._session = session
        self._row = row
        of_runs = row is RunRow
        self.created = RunRow.started_at if of_runs else ModelRow.created_at
        self._columns = RUN_COLUMNS if of_runs else MODEL_COLUMNS
        self._owner = ScoreRow.run_id if of_runs else ScoreRow.model_id

    @cached_property
    def _metrics(self) -> Sequence[str]:
        return metrics(self._session, self._owner)

    def of(self, field: Field, text: str) -> Meaning:
        """What a field of a query stands for.

        Raises:
            UsageError: There is no such field.
        """
        if field.pick is not None:
            if field.name not in self._metrics:
                raise mistake(text, field.place, unknown_name("score", field.name, self._metrics))
            return _plain(self._score(field), float)
        if field.name in self._columns:
            column = getattr(self._row, field.name)
            return _plain(column, column.type.python_type)
        if field.name == CREATED:
            return _plain(self.created, datetime)
        if field.name == "alias":
            return self._alias()
        if field.name.startswith(TAG):
            return _plain(self._tag(field.name.removeprefix(TAG)), str)
        if field.name.startswith(CONFIG):
            return self._configured(field, text)
        if field.name in self._metrics:
            return _plain(self._score(field), float)
        known = [*self._columns, CREATED, "alias", f"{CONFIG}…", f"{TAG}…", *self._metrics]
        raise mistake(text, field.place, unknown_name("field", field.name, known))

    def _score(self, field: Field) -> Expression:
        of_it = (self._owner == self._row.id) & (ScoreRow.metric == field.name)
        if field.pick in {"max", "min"}:
            picked = select(getattr(func, field.pick)(ScoreRow.value)).where(of_it)
        else:
            if field.step is not None:
                of_it &= ScoreRow.step == field.step
            newest_first = (ScoreRow.step.desc(), ScoreRow.id.desc())
            picked = select(ScoreRow.value).where(of_it).order_by(*newest_first).limit(1)
        return picked.correlate(RunRow, ModelRow).scalar_subquery()

    def _alias(self) -> Meaning:
        if self._row is RunRow:
            uri = literal(SCHEME) + AliasRow.name + "/" + cast(AliasRow.version, String)
            its_own = RunRow.model == uri
        else:
            its_own = (AliasRow.name == ModelRow.name) & (AliasRow.version == ModelRow.version)
        return Meaning(
            str, lambda _, test: exists().where(its_own, test(AliasRow.alias)), ~exists().where(its_own)
        )

    def _tag(self, key: str) -> Expression:
        owner = TagRow.run_id if self._row is RunRow else TagRow.model_id
        value = select(TagRow.value).where(owner == self._row.id, TagRow.key == key)
        return value.correlate(RunRow, ModelRow).scalar_subquery()

    def _configured(self, field: Field, text: str) -> Meaning:
        keys = field.name.removeprefix(CONFIG).split(".")
        dialect = self._session.get_bind().dialect.name
        key = Configured(RunRow.config, keys, is_sqlite=dialect == "sqlite")
        if '"' in field.name or not self._session.scalar(select(exists().where(key.kind.is_not(None)))):
            recent = select(RunRow.config).order_by(RunRow.started_at.desc()).limit(RECENT)
            known = {CONFIG + one for config in self._session.scalars(recent) for one in keys_of(config)}
            raise mistake(
                text,
                field.place,
                f"no run's configuration has '{field.name}'.{did_you_mean(field.name, known)}",
            )

        def seen(expression: Expression) -> Expression:
            """From a model: what the run that made it was told."""
            if self._row is RunRow:
                return expression
            of_its_run = select(expression).where(RunRow.id == ModelRow.run_id)
            return of_its_run.correlate(ModelRow).scalar_subquery()

        return Meaning(
            None,
            lambda wanted, test: test(seen(key.of(wanted))),
            func.coalesce(seen(key.is_missing), True),
            [seen(key.of(float)), seen(key.of(str))],
        )


def _plain(expression: Any, of: type) -> Meaning:
    return Meaning(of, lambda _, test: test(expression), expression.is_(None), [expression])
