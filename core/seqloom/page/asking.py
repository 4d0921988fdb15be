"""Links that change a query: sorted by a column, narrowed by a value. It stays text that one can edit."""

from __future__ import annotations

import re
from typing import Final

from seqloom.errors import UsageError
from seqloom.registry.language import AnyOf, Query, parse

LONGEST: Final = 10_000  # characters of a query
NAME: Final = re.compile(r"[A-Za-z_][\w.+@:/-]*")
WORD: Final = r"(?<![\w.+@:/-])"
TAIL: Final = re.compile(
    rf"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|({WORD}order\s+by(?![\w.+@:/-]))|({WORD}limit\s+\d+\s*$)""",
    re.IGNORECASE,
)
"""Where what comes after the condition begins; what is in quotes is passed over."""


def asked(where: str) -> str | None:
    """A query as the registry takes it; None for all.

    Raises:
        UsageError: It is too long.
    """
    if len(where) > LONGEST:
        raise UsageError(f"the query has {len(where)} characters; at most {LONGEST} are read")
    return where if where.strip() else None


def named(name: str) -> str:
    """A field as a query writes it: in backticks where it holds signs that names do not."""
    return name if NAME.fullmatch(name) else f"`{name.replace('`', '')}`"


def sorting(where: str) -> tuple[str, bool] | None:
    """The field that a query sorts by first, and whether it is descending."""
    query = _parsed(where)
    if query is None or not query.orders or query.orders[0].field.pick is not None:
        return None
    return query.orders[0].field.name, query.orders[0].is_descending


def sorted_by(where: str, field: str, *, descending: bool) -> str:
    """The query with another order."""
    condition, _, limit = _split(where) if _parsed(where) else ("", "", "")
    order = f"order by {named(field)}{' desc' if descending else ''}"
    return " ".join(part for part in (condition, order, limit) if part)


def narrowed(where: str, field: str, value: str) -> str:
    """The query with one more condition: that a field is a text."""
    query = _parsed(where)
    condition, order, limit = _split(where) if query else ("", "", "")
    if query and isinstance(query.condition, AnyOf):
        condition = f"({condition})"
    more = f"{named(field)} = '{value.replace(chr(39), 2 * chr(39))}'"
    if more in condition:
        return where
    both = f"{condition} and {more}" if condition else more
    return " ".join(part for part in (both, order, limit) if part)


def place_of_mistake(message: str) -> int | None:
    """Which character a message about a query points at, from 0."""
    found = re.search(r"^the query fails at character (\d+):", message)
    return int(found[1]) - 1 if found else None


def _parsed(where: str) -> Query | None:
    try:
        return parse(where) if where.strip() else Query("")
    except (UsageError, RecursionError):
        return None


def _split(where: str) -> tuple[str, str, str]:
    """Condition, order and limit of a query that makes sense, as text."""
    order = limit = len(where)
    for found in TAIL.finditer(where):
        if found[1]:
            order = found.start()
        elif found[2]:
            limit = found.start()
    order = min(order, limit)
    return where[:order].strip(), where[order:limit].strip(), where[limit:].strip()
