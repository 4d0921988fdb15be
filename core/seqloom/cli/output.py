"""How all commands speak: data on stdout, words on stderr; colours only where a terminal wants them."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import typer

from seqloom.jsonable import jsonable

if TYPE_CHECKING:
    from seqloom.registry.store import Registry

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


def note(message: str) -> None:
    """Says something to the person at the terminal."""
    typer.echo(message, err=True)


def print_json(value: Any) -> None:
    """Prints data for programs; see :func:`seqloom.jsonable.jsonable`."""
    typer.echo(json.dumps(jsonable(value), indent=2, ensure_ascii=False))


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
        table.add_row(*row)
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
            typer.echo(json.dumps(jsonable(record), ensure_ascii=False))
    elif form is ListForm.CSV:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(headers)
        writer.writerows(rows)
    else:
        print_table(headers, rows)


def moment(value: datetime) -> str:
    """``2026-11-21 13:15:02``, in UTC."""
    return f"{value:%Y-%m-%d %H:%M:%S}"


def duration(start: datetime, end: datetime | None) -> str:
    """``0:12:03``; nothing without an end."""
    return "" if end is None else str(timedelta(seconds=round((end - start).total_seconds())))
