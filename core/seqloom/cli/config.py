"""``seqloom config``: every value of a job, and where it comes from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from seqloom.catalog import Catalog
from seqloom.cli.output import print_json, print_table
from seqloom.cli.train import Overrides


def register(app: typer.Typer, catalog: Catalog) -> None:
    """Adds the commands."""
    config = typer.Typer(no_args_is_help=True, help="Show what a job file comes to.")
    app.add_typer(config, name="config")

    @config.command()
    def show(
        job: Annotated[Path, typer.Argument(help="The job file.")],
        overrides: Overrides = None,
        as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    ) -> None:
        """Show every value of a job, and where it comes from."""
        from seqloom.jobfile import load_job  # noqa: PLC0415 - `--help` never pays for YAML

        loaded = load_job(job, catalog, overrides or ())
        values = loaded.config.model_dump(mode="json")
        rows = [(key, _at(values, key), origin) for key, origin in loaded.origins.items()]
        if as_json:
            print_json([{"key": key, "value": value, "origin": origin} for key, value, origin in rows])
        else:
            print_table(
                ("key", "value", "origin"), [(key, _text(value), origin) for key, value, origin in rows]
            )


def _at(values: Any, dotted: str) -> Any:
    for key in dotted.split("."):
        values = values[int(key) if isinstance(values, list) else key]
    return values


def _text(value: Any) -> str:
    """A value as YAML has it; JSON is YAML."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
