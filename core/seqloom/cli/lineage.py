"""``seqloom models lineage``, ``runs lineage`` and ``data lineage``: what came from what."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from seqloom.cli.output import open_registry, out, print_json
from seqloom.errors import DataError


class Form(StrEnum):
    """In what form a lineage is printed."""

    TEXT = "text"
    JSON = "json"
    MERMAID = "mermaid"


SHA256: Final = re.compile(r"[0-9a-f]{64}")
As = Annotated[Form, typer.Option("--format", help="A tree, all that is known, or a drawing in Mermaid.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Shown = Annotated[int, typer.Option("--limit", min=1, help="At most so many of a kind next to each other.")]


def model_lineage(
    context: typer.Context,
    uri: Annotated[
        str,
        typer.Argument(metavar="MODEL", help="name, name/3, name@alias; the latest version for a name."),
    ],
    form: As = Form.TEXT,
    limit: Shown = 20,
    as_json: Json = False,
) -> None:
    """Show what a model came from, and what came from it."""
    _print(context, uri, Form.JSON if as_json else form, limit)


def run_lineage(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(metavar="ID", help="A run's id, or the beginning of it.")],
    form: As = Form.TEXT,
    limit: Shown = 20,
    as_json: Json = False,
) -> None:
    """Show what a run came from, and what came from it."""
    _print(context, f"run:{run_id}", Form.JSON if as_json else form, limit)


def data_lineage(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A file of data, or its sha256.")],
    form: As = Form.TEXT,
    limit: Shown = 20,
    as_json: Json = False,
) -> None:
    """Show what came from a file of data, whatever it was called, and what it came from."""
    _print(context, f"data:{_content(file)}", Form.JSON if as_json else form, limit)


def _content(file: str) -> str:
    """The sha256 that a file has, or is itself."""
    path = Path(file)
    if path.is_file():
        from seqloom.data.manifest import file_sha256  # noqa: PLC0415 - imports torch

        return file_sha256(path)
    if SHA256.fullmatch(file):
        return file
    raise DataError("there is no such file; name one, or give the sha256 that one had", file)


def _print(context: typer.Context, subject: str, form: Form, limit: int) -> None:
    from seqloom.registry.drawn import as_mermaid, as_tree  # noqa: PLC0415 - `--help` never pays for it

    with open_registry(context) as registry:
        lineage = registry.lineage(subject, limit=limit)
    if form is Form.JSON:
        print_json(lineage)
    else:
        out(as_tree(lineage) if form is Form.TEXT else as_mermaid(lineage))
