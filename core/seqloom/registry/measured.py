"""What the scores of runs and models say, as expressions.

A condition finds the owners whose figure passes, all of them at once from an index, and then their rows:
asked of one row after the other, the same takes three times as long.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import aliased

from seqloom.registry.scores import OwnerColumn, ScoreRow, SummaryRow, column_of

Expression = ColumnElement[Any]
Clause = ColumnElement[bool]


class Measured:
    """A figure of each owner.

    Args:
        owners: What names them in their own table: the id of runs, or of models.
        column: The column that names them in tables of scores.
        metric: The score's name.
        pick: ``max``, ``min``, or else the latest.
        step: After how many steps instead; of several values the last entered.
    """

    def __init__(
        self, owners: Any, column: OwnerColumn, metric: str, pick: str | None, step: int | None
    ) -> None:
        self._owners = owners
        if step is None:
            row: Any = SummaryRow
            self._value = {"max": SummaryRow.most, "min": SummaryRow.least}.get(
                pick or "", SummaryRow.latest
            )
            of_it: Clause = SummaryRow.metric == metric
        else:
            row, later = ScoreRow, aliased(ScoreRow)
            self._value = ScoreRow.value
            same = (later.metric == metric) & (later.step == step)
            same &= column_of(later, column) == column_of(ScoreRow, column)
            of_it = (ScoreRow.metric == metric) & (ScoreRow.step == step)
            of_it &= ~exists().where(same, later.id > ScoreRow.id)
        self._owner, self._of_it = column_of(row, column), of_it

    def holds(self, test: Callable[[Any], Clause]) -> Clause:
        """That the figure passes; false where there is none."""
        found: Clause = self._owners.in_(self._those_with(test(self._value)))
        return found

    @property
    def is_missing(self) -> Clause:
        """That there is no such figure."""
        found: Clause = self._owners.not_in(self._those_with(self._value.is_not(None)))
        return found

    @property
    def value(self) -> Expression:
        """The figure of a row at hand."""
        its_own = select(self._value).where(self._owner == self._owners, self._of_it)
        return its_own.correlate(self._owners.class_).scalar_subquery()

    def _those_with(self, condition: Clause) -> Any:
        return select(self._owner).where(self._owner.is_not(None), self._of_it, condition)
