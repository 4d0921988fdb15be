"""What a run's configuration says at a key, as expressions that SQLite and PostgreSQL both know.

A value takes part in a comparison only where it is of that type: a text is above no number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import (
    JSON,
    Boolean,
    ColumnElement,
    Dialect,
    Double,
    Numeric,
    String,
    TypeDecorator,
    case,
    cast,
    false,
    func,
    literal_column,
    true,
)

from seqloom.registry.texts import storable

Expression = ColumnElement[Any]
POSITION: Final = re.compile(r"[0-9]{1,9}")
"""A key that is a position in a list."""


class Exact(TypeDecorator[Decimal]):
    """A number as JSON writes it; what it is compared with is the decimal number that Python writes."""

    impl = Numeric
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        if isinstance(value, float):
            return Decimal(repr(value))
        return None if value is None else Decimal(value)


class Configured:
    """A key of a configuration.

    Args:
        column: The configuration, JSON.
        keys: From the top down; digits alone are a position in a list. None for the value as a whole.
        is_sqlite: Whether this is for SQLite; else it is for PostgreSQL.
    """

    def __init__(self, column: Any, keys: Sequence[str], *, is_sqlite: bool) -> None:
        self._is_sqlite = is_sqlite
        if is_sqlite:
            path = "$" + "".join(
                f"[{key}]" if POSITION.fullmatch(key) else f".{_quoted(key)}" for key in keys
            )
            self.kind: Expression = func.json_type(column, path, type_=String)
            self._text: Expression = func.json_extract(column, path, type_=String)
            self._number: Expression = func.json_extract(column, path, type_=Double)
        else:
            found = column
            for key in keys:
                found = found.op("->", return_type=JSON())(int(key) if POSITION.fullmatch(key) else key)
            self.kind = func.json_typeof(found, type_=String)
            self._text = found.op("#>>", return_type=String())(literal_column("'{}'"))
            self._number = cast(self._text, Exact)

    @property
    def is_missing(self) -> ColumnElement[bool]:
        """Whether there is no such key, or nothing (null) at it."""
        return func.coalesce(self.kind, "null") == "null"

    def of(self, wanted: type) -> Expression:
        """The value where it is of this type, else nothing.

        Args:
            wanted: bool, float or str.
        """
        if wanted is bool:
            return self._truth
        if wanted is float:
            return case((self.kind.in_(("integer", "real", "number")), self._number))
        return case((self.kind.in_(("text", "string")), self._text))

    @property
    def _truth(self) -> Expression:
        if self._is_sqlite:
            return case((self.kind == "true", true()), (self.kind == "false", false()))
        return case((self.kind == "boolean", cast(self._text, Boolean)))


def _quoted(key: str) -> str:
    """A key as it stands in JSON, with which SQLite compares it."""
    return json.dumps(storable(key), ensure_ascii=False)


def keys_of(config: Mapping[Any, Any], above: str = "") -> Iterator[str]:
    """All keys of a configuration, dotted: ``train.steps``, ``evaluate.metrics.0.name``."""
    for key, value in config.items():
        within = dict(enumerate(value)) if isinstance(value, list) else value
        if isinstance(within, Mapping) and within:
            yield from keys_of(within, f"{above}{key}.")
        else:
            yield f"{above}{key}"
