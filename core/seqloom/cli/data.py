"""``seqloom data``: what a job's data is like, before a training finds out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seqloom.catalog import Catalog
from seqloom.cli.output import note, print_json, print_table
from seqloom.cli.train import Overrides


def register(app: typer.Typer, catalog: Catalog) -> None:
    """Adds the commands."""
    data = typer.Typer(no_args_is_help=True, help="Look at a job's data.")
    app.add_typer(data, name="data")

    @data.command()
    def check(
        job: Annotated[Path, typer.Argument(help="The job file.")],
        overrides: Overrides = None,
        as_json: Annotated[bool, typer.Option("--json", help="JSON instead of tables.")] = False,
    ) -> None:
        """Show lengths, repeats, odd pairs, unknown tokens, and examples shared between splits."""
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
            return
        columns = ("split", "slot", "examples", "least", "median", "p95", "p99", "most")
        print_table(columns, [[str(getattr(row, name)) for name in columns] for row in report.lengths])
        if not report.findings:
            note("nothing else to tell")
            return
        typer.echo()
        print_table(
            ("split", "finding", "examples", "first"),
            [(row.split, row.kind, str(row.count), "\n".join(row.first)) for row in report.findings],
        )
