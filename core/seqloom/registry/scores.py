"""Which scores runs and models have, and what those of a metric come to.

A score is a row. What queries ask about most, a metric's latest, least and greatest value, is kept in one
row more for each owner and metric, in the transaction that enters the scores: a run is found by its best
value without a look at those before it. :func:`enter` alone writes both.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    Double,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    bindparam,
    cast,
    delete,
    insert,
    select,
    text,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from seqloom.registry.columns import ONE_OWNER, Base, Figure
from seqloom.registry.records import Score

OwnerColumn = Literal["run_id", "model_id"]
NO_PARTS: Final = (None, "{}", "null")
SAME: Final = ("metric", "split", "step", "signature")
"""What two scores of an owner share of which the older gives way."""
AT_ONCE: Final = 500
"""Owners whose scores are read by one statement; databases take only so many values."""


def index_of(owner: OwnerColumn, *columns: str) -> Index:
    """An index of the rows that have such an owner, and of no others."""
    there = text(f"{owner} IS NOT NULL")
    return Index(None, *columns, sqlite_where=there, postgresql_where=there)


class ScoreRow(Base):
    """A score, of a run or of a model."""

    __tablename__ = "scores"
    __table_args__ = (
        CheckConstraint(ONE_OWNER, name="one_owner"),
        index_of("run_id", "metric", "step", "run_id"),
        index_of("model_id", "metric", "step", "model_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str | None] = mapped_column(ForeignKey("runs.id"), index=True)
    model_id: Mapped[int | None] = mapped_column(ForeignKey("models.id"), index=True)
    metric: Mapped[str]
    value: Mapped[float | None] = mapped_column(Figure)
    split: Mapped[str]
    step: Mapped[int] = mapped_column(BigInteger)
    signature: Mapped[str]
    parts: Mapped[dict[str, int] | None]


class SummaryRow(Base):
    """What an owner's scores of one metric come to; NaN counts for nothing, as nothing (NULL).

    Attributes:
        step: The highest.
        latest: The value there, of several the last that was entered.
        least: Of all values.
        most: Of all values.
    """

    __tablename__ = "score_summaries"
    __table_args__ = (
        CheckConstraint(ONE_OWNER, name="one_owner"),
        UniqueConstraint("run_id", "metric"),
        UniqueConstraint("model_id", "metric"),
        index_of("run_id", "metric", "run_id", "latest", "least", "most"),
        index_of("model_id", "metric", "model_id", "latest", "least", "most"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str | None] = mapped_column(ForeignKey("runs.id"))
    model_id: Mapped[int | None] = mapped_column(ForeignKey("models.id"))
    metric: Mapped[str]
    step: Mapped[int] = mapped_column(BigInteger)
    latest: Mapped[float | None] = mapped_column(Double)
    least: Mapped[float | None] = mapped_column(Double)
    most: Mapped[float | None] = mapped_column(Double)

    def take(self, step: int, value: float) -> None:
        """Counts one score more, entered after all others."""
        known = None if math.isnan(value) else value
        if self.step is None or step >= self.step:
            self.step, self.latest = step, known
        if known is not None:
            self.least = known if self.least is None else min(self.least, known)
            self.most = known if self.most is None else max(self.most, known)


@dataclass(frozen=True)
class Owner:
    """Whose scores they are: a run's (``run_id``) or a model's (``model_id``)."""

    column: OwnerColumn
    id: str | int

    def has(self, row: type[ScoreRow | SummaryRow]) -> ColumnElement[bool]:
        """That a row is this owner's."""
        is_its_own: ColumnElement[bool] = column_of(row, self.column) == self.id
        return is_its_own


def column_of(row: Any, owner: OwnerColumn) -> Any:
    """The column that names a row's owner."""
    return getattr(row, owner)


def enter(session: Session, owner: Owner, scores: Sequence[Score]) -> None:
    """Adds scores; older ones of the same metric, split, step and signature give way.

    It takes no longer for a run that has many scores already, unless some of them give way.
    """
    if not scores:
        return
    gave_way = _give_way(session, owner, scores)
    rows = [
        {
            owner.column: owner.id,
            "metric": score.metric,
            "value": score.value,
            "split": score.split,
            "step": score.step,
            "signature": score.signature,
            "parts": dict(score.parts),
        }
        for score in scores
    ]
    session.execute(insert(ScoreRow), rows)
    metrics = sorted({score.metric for score in scores})
    of_them = (owner.has(SummaryRow), SummaryRow.metric.in_(metrics))
    summaries: dict[str, SummaryRow] = {}
    if gave_way:
        session.execute(delete(SummaryRow).where(*of_them))
        counted = _all_of(session, owner, metrics)
    else:
        summaries = {row.metric: row for row in session.scalars(select(SummaryRow).where(*of_them))}
        counted = [(score.metric, score.step, score.value) for score in scores]
    for metric, step, value in counted:
        if metric not in summaries:
            summaries[metric] = SummaryRow(**{owner.column: owner.id}, metric=metric)
        summaries[metric].take(step, value)
    session.add_all(summaries.values())


def _give_way(session: Session, owner: Owner, scores: Sequence[Score]) -> bool:
    """Deletes what is entered anew (a resumed run comes by the same steps again); whether anything was."""
    same = [getattr(ScoreRow, name) == bindparam(f"its_{name}") for name in SAME]
    keys = {tuple(getattr(score, name) for name in SAME) for score in scores}
    named = [{f"its_{name}": value for name, value in zip(SAME, key, strict=True)} for key in keys]
    done = session.connection().execute(delete(ScoreRow).where(owner.has(ScoreRow), *same), named)
    return bool(done.rowcount)  # a driver that cannot tell says -1


def _all_of(session: Session, owner: Owner, metrics: Sequence[str]) -> list[tuple[str, int, float]]:
    """All scores of some metrics, as (metric, step, value), oldest first."""
    columns = (ScoreRow.metric, ScoreRow.step, ScoreRow.value)
    wanted = select(*columns).where(owner.has(ScoreRow), ScoreRow.metric.in_(metrics)).order_by(ScoreRow.id)
    return [(metric, step, value) for metric, step, value in session.execute(wanted)]  # type: ignore[misc]


def scores_of(
    session: Session, owner: OwnerColumn, ids: Sequence[str | int]
) -> dict[str | int, list[Score]]:
    """The scores of some runs or some models, by owner, oldest first.

    Records are made of the database's rows at once: runs have thousands, and rows of the ORM's take longer.
    """
    column = column_of(ScoreRow, owner)
    wanted = (
        column,
        *(ScoreRow.metric, cast(ScoreRow.value, Double), ScoreRow.split, ScoreRow.step),
        *(ScoreRow.signature, cast(ScoreRow.parts, String)),
    )
    found: dict[str | int, list[Score]] = {each: [] for each in ids}
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        rows = session.execute(select(*wanted).where(column.in_(some)).order_by(column, ScoreRow.id))
        for of, metric, value, split, step, signature, parts in rows:
            found[of].append(
                Score(
                    metric=metric,
                    value=math.nan if value is None else value,
                    split=split,
                    step=step,
                    signature=signature,
                    parts={} if parts in NO_PARTS else json.loads(parts),
                )
            )
    return found
