"""The filter of ``--where``: ``field operator value [and ...]``.

::

    bleu > 30 and task = 'translation'        runs and models by their latest score and their columns
    status = 'failed' and started_at >= '2026-11-21'
    name like 'de-%' and alias = 'champion'

Operators are ``= != < <= > >= like``; text stands in quotes; a moment is text in ISO 8601, in UTC unless it
says otherwise. A row without the field (a run without that score) is never found.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, NoReturn

from sqlalchemy import ColumnElement, exists, select

from seqloom.errors import UsageError, unknown_name
from seqloom.registry.tables import AliasRow, ModelRow, RunRow, ScoreRow

Condition = ColumnElement[bool]

OPERATORS: Final[Mapping[str, Callable[[Any, Any], Condition]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "like": lambda column, value: column.ilike(value),
}
TOKEN: Final = re.compile(
    r"""(?P<word>[A-Za-z_][\w.+@/-]*) | (?P<number>[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)
      | (?P<text>'[^']*'|"[^"]*")     | (?P<operator>[<>!]=|[<>=]) | (?P<other>\S)""",
    re.VERBOSE,
)
RUN_COLUMNS: Final = (
    *("id", "kind", "status", "name", "task", "seed", "device", "device_reason"),
    *("folder", "model", "started_at", "ended_at", "error"),
)
MODEL_COLUMNS: Final = ("name", "version", "task", "run_id", "folder", "sha256", "created_at")


class Token(NamedTuple):
    """A word of a filter; ``kind`` is a group of :data:`TOKEN`, or ``end``."""

    kind: str
    text: str
    position: int


class Field(NamedTuple):
    """What a name of a filter stands for: its type, and what comparing it means."""

    type: type
    compare: Callable[[str, Any], Condition]


def run_conditions(where: str, metrics: Collection[str]) -> list[Condition]:
    """Compiles a filter of runs.

    Args:
        where: The filter.
        metrics: Names of the scores that runs have.

    Returns:
        Conditions on :class:`RunRow` that must all hold; values are bound, never pasted.

    Raises:
        UsageError: The filter makes no sense; the message points at the character.
    """
    fields = {name: _column(getattr(RunRow, name)) for name in RUN_COLUMNS}
    scores = {name: _score(name, ScoreRow.run_id == RunRow.id) for name in metrics}
    return _Parser(where, scores | fields).conditions()


def model_conditions(where: str, metrics: Collection[str]) -> list[Condition]:
    """Compiles a filter of models; as :func:`run_conditions`, with ``alias`` for any of its aliases."""
    fields = {name: _column(getattr(ModelRow, name)) for name in MODEL_COLUMNS}
    scores = {name: _score(name, ScoreRow.model_id == ModelRow.id) for name in metrics}
    return _Parser(where, scores | fields | {"alias": Field(str, _has_alias)}).conditions()


def _column(column: Any) -> Field:
    return Field(column.type.python_type, lambda symbol, value: OPERATORS[symbol](column, value))


def _score(metric: str, is_owned: Condition) -> Field:
    latest = (
        select(ScoreRow.value)
        .where(is_owned, ScoreRow.metric == metric)
        .order_by(ScoreRow.step.desc(), ScoreRow.id.desc())
        .limit(1)
        .correlate(RunRow, ModelRow)
        .scalar_subquery()
    )
    return Field(float, lambda symbol, value: OPERATORS[symbol](latest, value))


def _has_alias(symbol: str, value: Any) -> Condition:
    its_own = (AliasRow.name == ModelRow.name) & (AliasRow.version == ModelRow.version)
    if symbol == "!=":
        return ~exists().where(its_own, AliasRow.alias == value)
    return exists().where(its_own, OPERATORS[symbol](AliasRow.alias, value))


class _Parser:
    def __init__(self, where: str, fields: Mapping[str, Field]) -> None:
        self._where = where
        self._fields = fields
        found = [Token(str(m.lastgroup), m.group(), m.start()) for m in TOKEN.finditer(where)]
        self._tokens = iter([*found, Token("end", "the end", len(where))])

    def conditions(self) -> list[Condition]:
        conditions = [self._comparison()]
        while (token := next(self._tokens)).kind != "end":
            if token.text.lower() != "and":
                self._fail(token, f"expected 'and', found {token.text}")
            conditions.append(self._comparison())
        return conditions

    def _comparison(self) -> Condition:
        name = next(self._tokens)
        if name.kind != "word":
            self._fail(name, f"expected a field, found {name.text}")
        if name.text not in self._fields:
            self._fail(name, unknown_name("field", name.text, self._fields))
        field = self._fields[name.text]
        symbol = next(self._tokens)
        if symbol.text.lower() not in OPERATORS:
            self._fail(symbol, f"expected one of {' '.join(OPERATORS)}, found {symbol.text}")
        if symbol.text.lower() == "like" and field.type is not str:
            self._fail(symbol, f"'like' compares text, and {name.text} is none")
        return field.compare(symbol.text.lower(), self._value(name.text, field.type))

    def _value(self, name: str, wanted: type) -> Any:
        token = next(self._tokens)
        if wanted in {int, float}:
            if token.kind != "number":
                self._fail(token, f"expected a number to compare {name} with, found {token.text}")
            return self._number(token.text)
        if token.kind != "text":
            hint = f"; write '{token.text}'" if token.kind in {"word", "number"} else ""
            self._fail(token, f"expected text in quotes to compare {name} with, found {token.text}{hint}")
        content = token.text[1:-1]
        return self._moment(token, content) if wanted is datetime else content

    def _number(self, content: str) -> float:
        if re.fullmatch(r"[-+]?\d+", content) and abs(int(content)) < 2**63:  # what a database holds
            return int(content)
        return float(content)

    def _moment(self, token: Token, content: str) -> datetime:
        try:
            moment = datetime.fromisoformat(content)
        except ValueError:
            self._fail(
                token, f"expected a moment like '2026-11-21' or '2026-11-21 13:15', found {token.text}"
            )
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def _fail(self, token: Token, message: str) -> NoReturn:
        raise UsageError(
            f"the filter fails at character {token.position + 1}: {message}\n"
            f"  {self._where}\n  {' ' * token.position}^"
        )
