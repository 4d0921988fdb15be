"""A query as conditions and orders of a database; every value is bound, never pasted.

A field is a column, ``alias``, a key of the configuration (``config.train.steps``) or the name of a score,
which stands for its latest value unless ``max(…)``, ``min(…)`` or ``at(…, step)`` says otherwise. Every
condition is true or false: what is not there equals nothing, is like nothing, is neither above nor below.
So ``not`` and ``!=`` find the rows that have no such value, too.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import BigInteger, and_, false, func, literal, not_, or_

from seqloom.registry.language import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Field,
    Missing,
    Not,
    Query,
    Value,
    mistake,
)
from seqloom.registry.meanings import Clause, Expression, Meaning, Meanings, Test
from seqloom.registry.texts import in_code_points, is_like

COMPARISONS: Final[Mapping[str, Callable[[Any, Any], Clause]]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
DEEPEST: Final = 20
"""Conditions within conditions: SQLite's parser takes a few more, whatever they are about."""
MOST_CONDITIONS: Final = 100
MOST_TEXTS: Final = 10_000
MOST_ORDERS: Final = 20


class Compiler:
    """Compiles the parts of a query.

    Args:
        query: The query.
        meanings: What its fields stand for.
    """

    def __init__(self, query: Query, meanings: Meanings) -> None:
        self._text = query.text
        self._meanings = meanings
        self._conditions = self._orders = 0

    def clause(self, condition: Condition, depth: int = 0) -> Clause:
        """A condition; nothing (NULL) may stand for false.

        Raises:
            UsageError: It makes no sense; the message points at the character.
        """
        if depth > DEEPEST:
            raise mistake(self._text, 0, f"conditions lie within each other more than {DEEPEST} deep")
        match condition:
            case AllOf(conditions):
                return and_(*(self.clause(one, depth + 1) for one in conditions))
            case AnyOf(conditions):
                return or_(*(self.clause(one, depth + 1) for one in conditions))
            case Not(within):
                return _negated(self.clause(within, depth + 1))
            case Missing(field):
                return self._meanings.of(field, self._text).is_missing
            case Comparison():
                return self._comparison(condition)

    def orders(self, field: Field) -> Sequence[Expression]:
        """What rows are sorted by, and then by.

        Raises:
            UsageError: There is no such field, or it may have several values.
        """
        self._orders += 1
        if self._orders > MOST_ORDERS:
            raise mistake(self._text, field.place, f"rows are sorted by up to {MOST_ORDERS} fields")
        orders = self._meanings.of(field, self._text).orders
        if not orders:
            raise mistake(
                self._text, field.place, f"nothing is sorted by {field.name}: a row may have several"
            )
        return orders

    def _comparison(self, asked: Comparison) -> Clause:
        meaning = self._meanings.of(asked.field, self._text)
        if asked.symbol == "like" and meaning.kind not in {str, None}:
            raise mistake(self._text, asked.place, f"'like' compares text, and {asked.field.name} is none")
        contents = [self._content(meaning.kind, asked.field.name, value) for value in asked.values]
        types = {_type_of(content) for content in contents}
        symbol = "=" if asked.symbol in {"!=", "in"} else asked.symbol
        if symbol == "like" and types != {str}:
            raise mistake(self._text, asked.values[0].place, "'like' needs text in quotes")
        if symbol not in {"=", "like"} and bool in types:
            raise mistake(
                self._text, asked.place, "true and false are neither above nor below: use = or !="
            )
        found = or_(*self._alternatives(asked, meaning, symbol, contents))
        return _negated(found) if asked.symbol == "!=" else found

    def _alternatives(
        self, asked: Comparison, meaning: Meaning, symbol: str, contents: Sequence[Any]
    ) -> Iterator[Clause]:
        """The conditions of which one is to hold: a list of texts is one, however many they are."""
        texts = [one for one in contents if isinstance(one, str) and asked.symbol == "in"]
        others = contents if not texts else [one for one in contents if not isinstance(one, str)]
        self._conditions += len(others) + bool(texts)
        if self._conditions > MOST_CONDITIONS or len(texts) > MOST_TEXTS:
            raise mistake(
                self._text,
                asked.place,
                f"a query has up to {MOST_CONDITIONS} comparisons and lists of {MOST_TEXTS:,} texts; "
                "ask with field in ('a', 'b'), or in several queries",
            )
        if texts:
            yield meaning.holds(str, lambda expression: expression.in_(texts))
        test = _whole_test if meaning.kind is int else _test
        for one in others:
            yield meaning.holds(_type_of(one), test(symbol, one))

    def _content(self, wanted: type | None, name: str, value: Value) -> Any:
        """What a value says, of the type that its field has."""
        found = value.written
        if value.is_bare:
            kind = "a number" if wanted in {int, float} else "text in quotes"
            hint = "" if wanted in {int, float} else f"; write '{found}'"
            raise mistake(
                self._text, value.place, f"expected {kind} to compare {name} with, found {found}{hint}"
            )
        content = value.content
        if wanted is None:
            return content
        if wanted in {int, float}:
            if isinstance(content, str | bool):
                raise mistake(
                    self._text, value.place, f"expected a number to compare {name} with, found {found}"
                )
            return content if wanted is int else float(content)
        if not isinstance(content, str):
            raise mistake(
                self._text,
                value.place,
                f"expected text in quotes to compare {name} with, found {found}; write '{found}'",
            )
        return self._moment(value, content) if wanted is datetime else content

    def _moment(self, value: Value, content: str) -> datetime:
        try:
            moment = datetime.fromisoformat(content)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):  # the latter at the edges of the first and of the last year
            example = "a moment like '2026-11-21' or '2026-11-21 13:15'"
            raise mistake(self._text, value.place, f"expected {example}, found {value.written}") from None


def _negated(clause: Clause) -> Clause:
    return not_(func.coalesce(clause, false()))


def _type_of(content: Any) -> type:
    """bool, float, str or datetime; a whole number is a float here."""
    kinds: Iterator[type] = (kind for kind in (bool, str, datetime) if isinstance(content, kind))
    return next(kinds, float)


def _test(symbol: str, content: Any) -> Test:
    if symbol == "like":
        return lambda expression: is_like(expression, content)
    if isinstance(content, str) and symbol != "=":
        return lambda expression: COMPARISONS[symbol](in_code_points(expression), content)
    return lambda expression: COMPARISONS[symbol](expression, content)


def _whole_test(symbol: str, content: float) -> Test:
    """A test of whole numbers: exact, as it is not where they are made floats."""
    if isinstance(content, float):
        if not -(2**63) <= content < 2**63:  # beyond all that a column holds
            holds = symbol.startswith("<" if content > 0 else ">")
            return lambda column: column.is_not(None) if holds else false()
        if not content.is_integer():
            if symbol == "=":
                return lambda _: false()
            symbol = "<=" if symbol.startswith("<") else ">"
        content = math.floor(content)
    return lambda column: COMPARISONS[symbol](column, literal(content, BigInteger))
