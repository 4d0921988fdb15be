"""``seqloom data``: what a job's data is like, before a training finds out; and what came from it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from seqloom.catalog import Catalog
from seqloom.cli.lineage import data_lineage
from seqloom.cli.output import note, print_json, print_table
from seqloom.cli.train import Overrides

if TYPE_CHECKING:
    from seqloom.datacheck import DataReport

TABLES: Final = (
    ("lengths", ("split", "slot", "examples", "least", "median", "p95", "p99", "most")),
    ("measures", ("split", "slot", "measure", "inputs", "total", "least", "median", "most")),
    ("tags", ("split", "tag", "values", "least", "median", "most")),
    ("findings", ("split", "kind", "count", "first")),
)
"""The parts of a report, and what is shown of each row."""

HEADERS: Final = {"kind": "finding", "count": "examples"}


def register(app: typer.Typer, catalog: Catalog) -> None:
    """Adds the commands."""
    data = typer.Typer(no_args_is_help=True, help="Look at data.")
    app.add_typer(data, name="data")
    data.command("lineage")(data_lineage)

    @data.command()
    def check(
        job: Annotated[Path, typer.Argument(help="The job file.")],
        overrides: Overrides = None,
        as_json: Annotated[bool, typer.Option("--json", help="JSON instead of tables.")] = False,
    ) -> None:
        """Show lengths, durations, repeats, odd inputs, and what splits share: examples, speakers."""
        from seqloom.build import Builder  # noqa: PLC0415 - imports torch
        from seqloom.cli.bars import Bars  # noqa: PLC0415
        from seqloom.datacheck import check_data  # noqa: PLC0415
        from seqloom.jobfile import load_job  # noqa: PLC0415

        loaded = load_job(job, catalog, overrides or ())
        bars = Bars()
        with bars.progress:
            report = check_data(loaded, Builder(loaded.config, catalog), bars.watch)
        if as_json:
            print_json(report)
        else:
            _print_tables(report)


def _print_tables(report: DataReport) -> None:
    """Each part of a report that says something."""
    shown = [(columns, rows) for part, columns in TABLES if (rows := getattr(report, part))]
    for number, (columns, rows) in enumerate(shown):
        if number:
            typer.echo()
        headers = [HEADERS.get(column, column) for column in columns]
        print_table(headers, [[_cell(getattr(row, column)) for column in columns] for row in rows])
    if not report.findings:
        note("nothing else to tell")


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}"
    if isinstance(value, tuple):
        return "\n".join(value)
    return "" if value is None else str(value)
