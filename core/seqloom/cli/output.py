"""How all commands speak: data on stdout, words on stderr; colours only where a terminal wants them.

Names, errors and configurations may hold what a terminal obeys (escape sequences) or a reader does not see
(marks that turn the order of signs round): people get its code instead, JSON an escape that means the same.
"""

from __future__ import annotations

import csv
import json
import sys
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import typer

from seqloom.jsonable import jsonable

if TYPE_CHECKING:
    from seqloom.registry.store import Registry

UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of characters that are no sign: controls, formats, halves of characters, ends of lines."""

PIPE_WIDTH: Final = 10_000  # characters; a reader that is no terminal gets whole rows


@dataclass(frozen=True)
class State:
    """The options before the command; ``typer.Context.obj`` of every command.

    Attributes:
        registry: ``--registry``, None where not given.
        debug: ``--debug``: whether errors show where they came from.
    """

    registry: str | None = None
    debug: bool = False


def open_registry(context: typer.Context) -> Registry:
    """The registry that the command line names; close it after use."""
    from seqloom.registry.store import Registry  # noqa: PLC0415 - `--help` never pays for a database

    return Registry(context.ensure_object(State).registry)


def visible(text: str, *, lines: bool = False) -> str:
    """A text of which all can be seen: of what is no sign there is its code.

    Args:
        text: The text.
        lines: Whether it may have several lines.
    """
    if text.isprintable():
        return text
    kept = "\n" if lines else ""
    return "".join(_code(sign) if _is_unseen(sign) and sign not in kept else sign for sign in text)


def note(message: str) -> None:
    """Says something to the person at the terminal."""
    typer.echo(visible(message, lines=True), err=True)


def out(text: str) -> None:
    """Prints words for people on stdout."""
    typer.echo(visible(text, lines=True))


def print_json(value: Any) -> None:
    """Prints data for programs; see :func:`seqloom.jsonable.jsonable`."""
    typer.echo(_json(value, indent=2))


def print_table(
    headers: Sequence[str], rows: Iterable[Sequence[str]], figures: Collection[str] = ()
) -> None:
    """Prints rows for people; what does not fit on a terminal is folded, never cut.

    Args:
        headers: Of the columns.
        rows: A text for each column.
        figures: Columns of numbers, which stand to the right.
    """
    from rich.console import Console  # noqa: PLC0415 - `--help` never pays for tables
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    for header in headers:
        table.add_column(header, overflow="fold", justify="right" if header in figures else "left")
    for row in rows:
        table.add_row(*(visible(cell, lines=True) for cell in row))
    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    console.print(table)


class ListForm(StrEnum):
    """In what form a list is printed."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


def print_list(
    form: ListForm, headers: Sequence[str], rows: Iterable[Sequence[str]], records: Sequence[Any]
) -> None:
    """Prints a list: a table and CSV have a few columns, JSON has all that is known.

    Args:
        form: Which it is to be.
        headers: Of the columns.
        rows: A text for each column.
        records: The same, see :func:`seqloom.jsonable.jsonable`.
    """
    if form is ListForm.JSON:
        print_json(records)
    elif form is ListForm.JSONL:
        for record in records:
            typer.echo(_json(record))
    elif form is ListForm.CSV:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(headers)
        writer.writerows(_seen(rows) if sys.stdout.isatty() else rows)
    else:
        print_table(headers, _seen(rows))


def moment(value: datetime) -> str:
    """``2026-11-21 13:15:02``, in UTC."""
    return f"{value:%Y-%m-%d %H:%M:%S}"


def duration(start: datetime, end: datetime | None) -> str:
    """``0:12:03``; nothing without an end."""
    return "" if end is None else str(timedelta(seconds=round((end - start).total_seconds())))


def _seen(rows: Iterable[Sequence[str]]) -> Iterator[Sequence[str]]:
    """Rows of one line each."""
    return ([visible(cell) for cell in row] for row in rows)


def _json(value: Any, indent: int | None = None) -> str:
    """Data as JSON of which all can be seen."""
    return visible_json(json.dumps(jsonable(value), indent=indent, ensure_ascii=False))


def visible_json(text: str) -> str:
    """JSON of which all can be seen, as it was."""
    if text.isprintable():
        return text
    return "".join(json.dumps(sign)[1:-1] if _is_unseen(sign) and sign != "\n" else sign for sign in text)


def _is_unseen(sign: str) -> bool:
    return unicodedata.category(sign) in UNSEEN


def _code(sign: str) -> str:
    return sign.encode("unicode_escape").decode("ascii")
