"""Texts as SQLite and PostgreSQL hold, compare and sort them alike.

Left to themselves they differ: PostgreSQL sorts as its operator's dictionaries do, takes a backslash in a
pattern for a sign of its own, and holds no NUL.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, String, func
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from seqloom.errors import ConfigError

NO_TEXT: Final = "\N{REPLACEMENT CHARACTER}"
ESCAPED_NUL: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
MOST: Final = 2**63
SMALL: Final = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


class in_code_points(FunctionElement[str]):  # noqa: N801 - reads as a function does
    """A text that is above another where its characters are, whatever language the database speaks."""

    type = String()
    name = "in_code_points"
    inherit_cache = True


@compiles(in_code_points)
def _as_it_is(element: Any, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


@compiles(in_code_points, "postgresql")
def _in_c(element: Any, compiler: Any, **options: Any) -> str:
    return f'({compiler.process(element.clauses, **options)} COLLATE "C")'


def is_like(text: Any, pattern: str) -> ColumnElement[bool]:
    """That a text is like a pattern.

    ``%`` stands for any text, ``_`` for any sign; the case of English letters counts for nothing.
    """
    small = pattern.translate(SMALL).replace("\\", "\\\\")
    return func.lower(in_code_points(text), type_=String).like(small, escape="\\")


def storable_json(text: str) -> str:
    """JSON with a replacement character for what no text of a database may hold."""
    return storable(ESCAPED_NUL.sub(r"\1" + NO_TEXT, text) if "\\u0000" in text else text)


def storable(text: str) -> str:
    """A text with a replacement character for what no database holds: NUL, halves of characters."""
    text = text.replace("\0", NO_TEXT)
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def storable_all(values: Any) -> Any:
    """The same of all texts among a statement's values.

    Raises:
        ConfigError: One of them is a whole number that no column holds.
    """
    if isinstance(values, str):
        return storable(values)
    if isinstance(values, int) and not -MOST <= values < MOST:
        raise ConfigError(
            f"a whole number of {values.bit_length()} bits is more than a registry holds: 64 with the sign"
        )
    if isinstance(values, Mapping):
        return {name: storable_all(value) for name, value in values.items()}
    if isinstance(values, tuple):
        return tuple(storable_all(value) for value in values)
    if isinstance(values, list):
        return [storable_all(value) for value in values]
    return values
