"""Rows that fit a query, in its order, a page at a time.

A page begins after a row, not after a number of rows: where others write meanwhile, none is seen twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, String, and_, asc, desc, false, or_, select
from sqlalchemy.orm import Session

from seqloom.errors import UsageError
from seqloom.registry.language import Query, parse
from seqloom.registry.meanings import Clause, Meanings
from seqloom.registry.query import Compiler
from seqloom.registry.tables import ModelRow, RunRow
from seqloom.registry.texts import in_code_points

RowT = TypeVar("RowT", RunRow, ModelRow)
MOST = 2**31 - 1
"""As many rows as a database is asked for."""


class Key(NamedTuple):
    """What rows are sorted by; those without it come last, either way.

    Attributes:
        expression: Its value.
        is_descending: Whether the highest comes first.
        is_always_there: Whether no row lacks it; then an index may have rows in this order.
    """

    expression: Any
    is_descending: bool
    is_always_there: bool = False

    @property
    def place(self) -> Any:
        """What says where a row stands."""
        is_text = isinstance(self.expression.type, String)
        return in_code_points(self.expression) if is_text else self.expression

    @property
    def sorting(self) -> ColumnElement[Any]:
        sorting = desc(self.place) if self.is_descending else asc(self.place)
        last: ColumnElement[Any] = sorting if self.is_always_there else sorting.nulls_last()
        return last


def page(
    session: Session,
    row: type[RowT],
    text: str | None,
    limit: int | None,
    after: RowT | None,
    *,
    deleted: bool = False,
) -> list[RowT]:
    """The rows that fit, sorted as the query says, and then newest first.

    Args:
        session: Of the database.
        row: What is looked for.
        text: The query; None for all.
        limit: How many at most, whatever the query says; None for all.
        after: The row that the page follows; None for the first page.
        deleted: Whether rows that were deleted are among them.

    Raises:
        UsageError: The query makes no sense, or the limit.
    """
    if limit is not None and limit < 0:
        raise UsageError(f"{limit} rows cannot be listed; ask for as many as you want, from 0 on")
    query = Query("") if text is None else parse(text)
    meanings = Meanings(session, row)
    compiler = Compiler(query, meanings)
    keys = [
        Key(expression, order.is_descending)
        for order in query.orders
        for expression in compiler.orders(order.field)
    ]
    keys += [Key(one, is_descending=True, is_always_there=True) for one in (meanings.created, row.id)]
    wanted = select(row)
    if not deleted:
        wanted = wanted.where(row.deleted_at.is_(None))
    if query.condition is not None:
        wanted = wanted.where(compiler.clause(query.condition))
    if after is not None:
        wanted = wanted.where(_follows(keys, _values(session, row, after, keys)))
    limits = [min(one, MOST) for one in (limit, query.limit) if one is not None]
    wanted = wanted.order_by(*(key.sorting for key in keys)).limit(min(limits, default=None))
    return [found for (found,) in session.execute(wanted)]


def _values(session: Session, row: type[RowT], after: RowT, keys: Sequence[Key]) -> Sequence[Any]:
    """What the keys are in a row."""
    expressions = [key.expression for key in keys]
    found = session.execute(select(*expressions).select_from(row).where(row.id == after.id)).one()
    return [None if value != value else value for value in found]  # noqa: PLR0124 - a score that is not there


def _follows(keys: Sequence[Key], values: Sequence[Any]) -> Clause:
    """That a row comes after the one that has these values: by some key, being equal by those before."""
    found: list[Clause] = []
    same: list[Clause] = []
    for key, value in zip(keys, values, strict=True):
        found.append(and_(*same, _is_later(key, value)))
        same.append(key.expression.is_(None) if value is None else key.expression == value)
    return or_(*found)


def _is_later(key: Key, value: Any) -> Clause:
    if value is None:
        return false()
    beyond = key.place < value if key.is_descending else key.place > value
    return or_(beyond, key.expression.is_(None))
