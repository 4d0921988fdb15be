"""What does a query say? Text in, its parts with their places out; nothing of a database.

::

    task = 'translation' and (bleu > 35 or chrf >= 60) and alias = 'champion' order by bleu desc limit 10
    config.model.encoder.name like 'trans%' and not status in ('failed', 'interrupted')
    best(bleu) >= 40 and at(ppl, 2000) < 5 and error is null
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal, cast

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from seqloom.errors import UsageError

Pick = Literal["latest", "best", "max", "min", "at"]

WORD_ENDS: Final = r"(?![\w.+@:\/-])"
"""After a word of the language: ``order`` is one, ``order-1`` a name."""

GRAMMAR: Final = rf"""
query: [condition] [orders] [limit]

?condition: conjunction (_OR conjunction)*           -> any_of
?conjunction: negation (_AND negation)*              -> all_of
?negation: _NOT negation                             -> negated
    | "(" condition ")"
    | field SYMBOL value                             -> compared
    | field (LIKE value | IN "(" value ("," value)* ")")       -> compared
    | field _NOT (LIKE value | IN "(" value ("," value)* ")")  -> not_compared
    | field _IS _NULL                                -> missing
    | field _IS _NOT _NULL                           -> not_missing

field: _name
    | PICK "(" _name ")"                             -> picked
    | AT "(" _name "," COUNT ")"                     -> picked
_name: NAME | QUOTED
value: TEXT | NUMBER | TRUTH | NAME

orders: _ORDER _BY order ("," order)*
order: field [DIRECTION]
limit: _LIMIT COUNT

_OR.2: /or{WORD_ENDS}/i
_AND.2: /and{WORD_ENDS}/i
_NOT.2: /not{WORD_ENDS}/i
_IS.2: /is{WORD_ENDS}/i
_NULL.2: /null{WORD_ENDS}/i
_ORDER.2: /order{WORD_ENDS}/i
_BY.2: /by{WORD_ENDS}/i
_LIMIT.2: /limit{WORD_ENDS}/i
IN.2: /in{WORD_ENDS}/i
LIKE.2: /like{WORD_ENDS}/i
DIRECTION.2: /(asc|desc){WORD_ENDS}/i
TRUTH.2: /(true|false){WORD_ENDS}/i
PICK.2: /(latest|best|max|min)(?=\s*\()/i
AT.2: /at(?=\s*\()/i
SYMBOL: /[<>!]=|[<>=]/
NUMBER: /[-+]?\d+(\.\d*)?([eE][-+]?\d+)?/
COUNT: /\d{{1,18}}/
TEXT: /'([^']|'')*'|"([^"]|"")*"/
QUOTED: /`[^`]+`/
NAME: /[A-Za-z_][\w.+@:\/-]*/

%import common.WS
%ignore WS
"""

EXPECTED: Final = (
    ("TEXT", "a value: text in quotes, a number, true or false"),
    ("NAME", "a field"),
    ("SYMBOL", "one of = != < <= > >= like in is"),
    ("LIKE", "'like' or 'in'"),
    ("_NULL", "'null' or 'not null'"),
    ("_BY", "'by'"),
    ("COUNT", "a whole number"),
    ("LPAR", "'('"),
    ("_AND", "'and', 'or', 'order by' or 'limit'"),
    ("COMMA", "','"),
    ("RPAR", "')'"),
)
"""What is said to be expected, by a terminal that would do; the first that fits."""


@dataclass(frozen=True)
class Field:
    """What is asked about.

    Attributes:
        name: As written: a column, ``alias``, ``config.train.steps``, a score.
        place: Where it stands in the query, from 0.
        pick: Which of a score's values; None where it does not say.
        step: For ``at``: after how many optimiser steps.
    """

    name: str
    place: int
    pick: Pick | None = None
    step: int | None = None


@dataclass(frozen=True)
class Value:
    """What a field is compared with.

    Attributes:
        content: A text, a number or a truth.
        written: As it stands in the query.
        place: Where it stands.
        is_bare: Whether it is a word without quotes.
    """

    content: str | float | bool
    written: str
    place: int
    is_bare: bool = False


@dataclass(frozen=True)
class Comparison:
    """A field beside a value, or beside several for ``in``; ``place`` is that of the symbol."""

    field: Field
    symbol: str
    place: int
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Missing:
    """That a row has no such value."""

    field: Field


@dataclass(frozen=True)
class Not:
    """That something does not hold."""

    condition: Condition


@dataclass(frozen=True)
class AllOf:
    """That all of these hold."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class AnyOf:
    """That one of these holds."""

    conditions: tuple[Condition, ...]


Condition = Comparison | Missing | Not | AllOf | AnyOf


@dataclass(frozen=True)
class Order:
    """What rows are sorted by."""

    field: Field
    is_descending: bool = False


@dataclass(frozen=True)
class Query:
    """A whole query.

    Attributes:
        text: As written.
        condition: What rows must fulfil; None for all.
        orders: What they are sorted by, and then by; newest first where nothing is said.
        limit: How many at most; None where it does not say.
    """

    text: str
    condition: Condition | None = None
    orders: tuple[Order, ...] = ()
    limit: int | None = None


def parse(text: str) -> Query:
    """Reads a query.

    Raises:
        UsageError: It is none; the message points at the character.
    """
    if not text.strip():
        raise mistake(text, len(text), "expected a field, found the end")
    try:
        condition, orders, limit = cast("tuple[Any, Any, Any]", _parser().parse(text))
    except UnexpectedCharacters as error:
        place = error.pos_in_stream or 0
        wanted = _expected(error.allowed or ())
        raise mistake(text, place, f"expected {wanted}, found {text[place]}") from None
    except UnexpectedToken as error:
        is_end = error.token.type == "$END"
        place = len(text) if is_end else _place(error.token)
        found = "the end" if is_end else str(error.token)
        wanted = _expected(error.accepts or error.expected)
        raise mistake(text, place, f"expected {wanted}, found {found}") from None
    return Query(text, condition, orders or (), limit)


def mistake(text: str, place: int, message: str) -> UsageError:
    """An error that says what is wrong at a character of a query."""
    line = re.sub(r"\s", " ", text)  # one line, so that the pointer is below its character
    return UsageError(f"the query fails at character {place + 1}: {message}\n  {line}\n  {' ' * place}^")


def _expected(terminals: Iterable[str]) -> str:
    there = set(terminals)
    return next((said for terminal, said in EXPECTED if terminal in there), "the end")


@cache
def _parser() -> Lark:
    return Lark(GRAMMAR, start="query", parser="lalr", transformer=_Reading(), maybe_placeholders=True)


def _place(token: Token) -> int:
    return token.start_pos or 0


@v_args(inline=True)
class _Reading(Transformer[Token, Any]):
    """Makes the parts of a query of what the grammar found; a method for each rule."""

    def query(self, condition: Any, orders: Any, limit: Any) -> Any:
        return condition, orders, limit

    def any_of(self, *conditions: Condition) -> Condition:
        return conditions[0] if len(conditions) == 1 else AnyOf(conditions)

    def all_of(self, *conditions: Condition) -> Condition:
        return conditions[0] if len(conditions) == 1 else AllOf(conditions)

    def negated(self, condition: Condition) -> Not:
        return Not(condition)

    def compared(self, field: Field, symbol: Token, *values: Value) -> Comparison:
        return Comparison(field, symbol.lower(), _place(symbol), values)

    def not_compared(self, field: Field, symbol: Token, *values: Value) -> Not:
        return Not(Comparison(field, symbol.lower(), _place(symbol), values))

    def missing(self, field: Field) -> Missing:
        return Missing(field)

    def not_missing(self, field: Field) -> Not:
        return Not(Missing(field))

    def field(self, name: Token) -> Field:
        return Field(name.strip("`"), _place(name))

    def picked(self, pick: Token, name: Token, step: Token | None = None) -> Field:
        return Field(
            name.strip("`"),
            _place(name),
            cast("Pick", pick.lower()),
            None if step is None else int(step),
        )

    def value(self, token: Token) -> Value:
        return Value(_content(token), str(token), _place(token), is_bare=token.type == "NAME")

    def orders(self, *orders: Order) -> tuple[Order, ...]:
        return orders

    def order(self, field: Field, direction: Token | None) -> Order:
        return Order(field, direction is not None and direction.lower() == "desc")

    def limit(self, count: Token) -> int:
        return int(count)


def _content(token: Token) -> str | float | bool:
    if token.type == "TEXT":
        return token[1:-1].replace(2 * token[0], token[0])
    if token.type == "TRUTH":
        return token.lower() == "true"
    return _number(token) if token.type == "NUMBER" else str(token)


def _number(content: str) -> float:
    if re.fullmatch(r"[-+]?\d{1,19}", content) and abs(int(content)) < 2**63:  # what a database holds
        return int(content)
    return float(content)
