"""``seqloom plugins new``: a whole plugin to begin with."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from seqloom.catalog import Catalog
from seqloom.cli.output import note


class Kind(StrEnum):
    """What a new plugin may offer."""

    TASK = "task"
    MODALITY = "modality"
    ENCODER = "encoder"


DEMOS = {Kind.MODALITY: "movements-data", Kind.ENCODER: "numbers-data"}
"""Where the demo of a kind that has no verb of its own writes to."""


def register(plugins: typer.Typer, catalog: Catalog) -> None:
    """Adds the command."""

    @plugins.command()
    def new(
        name: Annotated[str, typer.Argument(help="What it is to be called, as `my-task`.")],
        kind: Annotated[Kind, typer.Option(help="What it is to offer.")],
        folder: Annotated[
            Path | None, typer.Option(help="Where to write it.", show_default="./seqloom-NAME")
        ] = None,
    ) -> None:
        """Write a plugin to begin with: code that works, its tests, a demo."""
        from seqloom.scaffold import Names, write_plugin  # noqa: PLC0415 - other commands need none

        names = Names.chosen(name, kind, catalog)
        place = folder or Path(names.distribution)
        for file in write_plugin(names, kind, place):
            note(f"wrote {place / file}")
        note("try next:")
        shown = quote(str(place if place.is_absolute() else Path.cwd() / place)) if folder else f"./{place}"
        typer.echo(f"seqloom plugins install --editable {shown}")
        typer.echo(f"seqloom plugins check {shown}")
        if kind is Kind.TASK:
            typer.echo(f"seqloom demo {names.name}")
        else:
            typer.echo(f"python -m {names.package}.demo {DEMOS[kind]}")
            typer.echo(f"seqloom train {DEMOS[kind]}/job.yaml")
