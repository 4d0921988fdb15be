"""What do the fields of a query stand for, in runs and in models?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from sqlalchemy import ColumnElement, String, cast, exists, false, func, literal, not_, select, tuple_
from sqlalchemy.orm import Session

from seqloom.errors import did_you_mean, unknown_name
from seqloom.registry.configured import Configured, keys_of
from seqloom.registry.language import Field, mistake
from seqloom.registry.lookup import SCHEME, metrics
from seqloom.registry.measured import Measured
from seqloom.registry.scores import OwnerColumn, SummaryRow, column_of
from seqloom.registry.settings import SettingRow, told
from seqloom.registry.tables import (
    AliasRow,
    ArtefactRow,
    EventRow,
    ModelRow,
    NoteRow,
    RunDataRow,
    RunRow,
    TagRow,
)
from seqloom.registry.ways import Ways

Expression = ColumnElement[Any]
Clause = ColumnElement[bool]
Test = Callable[[Any], Clause]

RUN_COLUMNS: Final = (
    *("id", "kind", "status", "name", "task", "seed", "device", "device_reason"),
    *("folder", "model", "started_at", "ended_at", "error", "deleted_at", "purged_at"),
)
MODEL_COLUMNS: Final = (
    *("name", "version", "task", "run_id", "folder", "sha256"),
    *("created_at", "deleted_at", "purged_at"),
)
CREATED: Final = "created"
CONFIG: Final = "config."
TAG: Final = "tag."
FACTS: Final = {"environment": RunRow.environment, "git": RunRow.git, "versions": RunRow.versions}
"""Facts of a run that are a text for each key, as ``git.commit``."""
SEVERAL: Final = {
    "data": RunDataRow.path,
    "data_sha256": RunDataRow.sha256,
    "event": EventRow.kind,
    "artefact": ArtefactRow.kind,
}
"""Of which a run may have several, or none."""
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
        ways: Which way scores are better.
    """

    def __init__(self, session: Session, row: type[RunRow] | type[ModelRow], ways: Ways) -> None:
        self._session = session
        self._ways = ways
        self._row = row
        of_runs = row is RunRow
        self.created = RunRow.started_at if of_runs else ModelRow.created_at
        self._columns = RUN_COLUMNS if of_runs else MODEL_COLUMNS
        self._owner: OwnerColumn = "run_id" if of_runs else "model_id"

    @cached_property
    def _metrics(self) -> Sequence[str]:
        """All there are; to know of one whether it is there, :meth:`_has_metric` is quicker."""
        return metrics(self._session, self._owner)

    def _has_metric(self, name: str) -> bool:
        there = column_of(SummaryRow, self._owner).is_not(None)
        return bool(self._session.scalar(select(exists().where(there, SummaryRow.metric == name))))

    def of(self, field: Field, text: str) -> Meaning:
        """What a field of a query stands for.

        Raises:
            UsageError: There is no such field.
        """
        if field.pick is not None:
            if not self._has_metric(field.name):
                raise mistake(text, field.place, unknown_name("score", field.name, self._metrics))
            return self._score(field if field.pick != "best" else self._best(field, text))
        meaning = self._named(field.name) or self._with_key(field, text)
        if meaning is not None:
            return meaning
        names = [*self._columns, CREATED, "alias", "note", *SEVERAL]
        families = [f"{family}.…" for family in ("config", "tag", *FACTS)]
        raise mistake(
            text, field.place, unknown_name("field", field.name, [*names, *families, *self._metrics])
        )

    def _named(self, name: str) -> Meaning | None:
        """A field that has no key."""
        if name in self._columns:
            column = getattr(self._row, name)
            return _plain(column, column.type.python_type)
        if name == CREATED:
            return _plain(self.created, datetime)
        if name == "alias":
            return self._alias()
        if name == "note":
            owner = column_of(NoteRow, self._owner)
            return _several(self._row.id, NoteRow.text, [owner], owner.is_not(None))
        if name in SEVERAL:
            column = SEVERAL[name]
            return _several(self._run_id, column, [column.class_.run_id])
        return None

    def _with_key(self, field: Field, text: str) -> Meaning | None:
        """A field that has a key after its first point, or a score, whose name may have points, too."""
        family, _, key = field.name.partition(".")
        if family in FACTS and key and '"' not in key:
            return self._fact(family, key)
        if field.name.startswith(TAG):
            return self._tag(key)
        if field.name.startswith(CONFIG):
            return self._configured(field, text)
        return self._score(field) if self._has_metric(field.name) else None

    def _best(self, field: Field, text: str) -> Field:
        """A score's highest value or its lowest."""
        higher_is_better = self._ways.of(field.name)
        if higher_is_better is None:
            raise mistake(
                text,
                field.place,
                f"no installed plugin says which way {field.name} is better; write max(…) or min(…)",
            )
        return replace(field, pick="max" if higher_is_better else "min")

    def _score(self, field: Field) -> Meaning:
        figure = Measured(self._row.id, self._owner, field.name, field.pick, field.step)
        return Meaning(float, lambda _, test: figure.holds(test), figure.is_missing, [figure.value])

    @property
    def _run_id(self) -> Any:
        """The run itself, or the one that made the model."""
        return RunRow.id if self._row is RunRow else ModelRow.run_id

    def _alias(self) -> Meaning:
        if self._row is RunRow:
            uri = literal(SCHEME) + AliasRow.name + "/" + cast(AliasRow.version, String)
            return _several(RunRow.model, AliasRow.alias, [uri])
        version = tuple_(ModelRow.name, ModelRow.version)
        return _several(version, AliasRow.alias, [AliasRow.name, AliasRow.version])

    def _fact(self, family: str, key: str) -> Meaning:
        dialect = self._session.get_bind().dialect.name
        fact = Configured(FACTS[family], [key], is_sqlite=dialect == "sqlite")
        return _plain(self._of_run(fact.of(str)), str)

    def _tag(self, key: str) -> Meaning:
        owner = column_of(TagRow, self._owner)
        tagged = _several(self._row.id, TagRow.value, [owner], owner.is_not(None), TagRow.key == key)
        value = select(TagRow.value).where(owner == self._row.id, TagRow.key == key)
        return replace(tagged, orders=[value.correlate(self._row).scalar_subquery()])

    def _configured(self, field: Field, text: str) -> Meaning:
        name = field.name.removeprefix(CONFIG)
        is_sqlite = self._session.get_bind().dialect.name == "sqlite"
        key = Configured(RunRow.config, name.split("."), is_sqlite=is_sqlite)
        if '"' in name or not self._is_told(name, key):
            recent = select(RunRow.config).order_by(RunRow.started_at.desc()).limit(RECENT)
            known = {CONFIG + one for config in self._session.scalars(recent) for one in keys_of(config)}
            raise mistake(
                text,
                field.place,
                f"no run's configuration has '{field.name}'.{did_you_mean(field.name, known)}",
            )
        return Meaning(
            None,
            lambda wanted, test: told(self._run_id, name, wanted, test, is_sqlite=is_sqlite),
            func.coalesce(self._of_run(key.is_missing), True),
            [self._of_run(key.of(float)), self._of_run(key.of(str))],
        )

    def _is_told(self, name: str, key: Configured) -> bool:
        """Whether some run's configuration has a key; there may be no value at it, but keys or nothing."""
        if self._session.scalar(select(exists().where(SettingRow.key == name))):
            return True
        newest_first = select(RunRow.id).where(key.kind.is_not(None)).order_by(RunRow.started_at.desc())
        return self._session.scalar(newest_first.limit(1)) is not None

    def _of_run(self, expression: Expression) -> Expression:
        """What is known of a run; from a model: of the run that made it."""
        if self._row is RunRow:
            return expression
        of_its_run = select(expression).where(RunRow.id == ModelRow.run_id)
        return of_its_run.correlate(ModelRow).scalar_subquery()


def _plain(expression: Any, of: type) -> Meaning:
    return Meaning(of, lambda _, test: test(expression), expression.is_(None), [expression])


def _several(mine: Any, column: Any, theirs: Sequence[Any], *conditions: Clause) -> Meaning:
    """A field of which a row may have several values, or none, each in a row of another table.

    Args:
        mine: What names a row here.
        column: The values.
        theirs: What names the row here in the rows there.
        conditions: What else is true of the rows there.
    """

    def among(*tests: Clause) -> Clause:
        found: Clause = mine.in_(select(*theirs).where(*conditions, *tests))
        return found

    return Meaning(str, lambda _, test: among(test(column)), not_(func.coalesce(among(), false())))
