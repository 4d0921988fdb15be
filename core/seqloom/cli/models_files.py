"""``seqloom models`` where it is about files: what goes, what is still whole, what leaves and comes in."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from seqloom.cli.output import note, open_registry, print_json, print_table
from seqloom.cli.runs import Json
from seqloom.errors import CorruptError, SeqloomError, StorageError, UsageError
from seqloom.registry.records import Model, Run

if TYPE_CHECKING:
    from seqloom.collection import Waste

GRACE_DAYS: Final = 7.0
"""A deletion by mistake is noticed within a week, weekend and all; where a disk is full, one says 0."""
VERSIONED: Final = re.compile(r"(models:/)?[^/@]+/[0-9]+|runs:/.+")


def delete_models(
    context: typer.Context,
    uris: Annotated[
        list[str],
        typer.Argument(metavar="MODEL...", help="Versions, as name/3, or runs:/ID for what a run made."),
    ],
    undo: Annotated[bool, typer.Option("--undo", help="Take back that they were deleted.")] = False,
) -> None:
    """Mark versions of models as deleted. Their files stay until `seqloom models gc --yes`."""
    for uri in uris:
        if not VERSIONED.fullmatch(uri):
            raise UsageError(f"'{uri}' names no version; say which, as in {re.split('[/@]', uri)[0]}/3")
    with open_registry(context) as registry:
        for model in [registry.model(uri) for uri in uris]:  # all are there before the first goes
            if undo:
                registry.restore_model(model.uri)
                note(f"{model.uri} is back")
            else:
                registry.delete_model(model.uri)
                note(f"{model.uri} is deleted; --undo takes it back")


def collect(
    context: typer.Context,
    yes: Annotated[
        bool, typer.Option("--yes", help="Remove it, instead of telling what would go.")
    ] = False,
    days: Annotated[
        float, typer.Option("--older-than", metavar="DAYS", min=0, help="What was deleted so long ago.")
    ] = GRACE_DAYS,
    as_json: Json = False,
) -> None:
    """Tell which files of the deleted may go. With --yes they go; what an alias holds stays."""
    from seqloom.collection import collect_waste, find_waste  # noqa: PLC0415 - imports torch
    from seqloom.registry.store import runs_folder  # noqa: PLC0415 - `--help` never pays for a database

    before = datetime.now(UTC) - timedelta(days=days)
    with open_registry(context) as registry:
        found = list((collect_waste if yes else find_waste)(registry, runs_folder(), before))
        deleted: list[Model | Run] = [*registry.deleted_models(), *registry.deleted_runs()]
    goes = [waste for waste in found if waste.obstacle is None]
    if as_json:
        print_json([_json(waste, removed=yes) for waste in found])
    elif goes:
        print_table(("model or run", "size", "folder"), [_row(waste) for waste in goes], figures=("size",))
    for waste in found:
        if waste.obstacle is not None:
            note(f"{waste.name} stays: {waste.obstacle}")
    total = _size(sum(waste.size_bytes for waste in goes))
    if not goes:
        note("nothing to remove" if not yes else "nothing was removed")
    elif yes:
        note(f"{total} removed")
    else:
        note(f"{total} would be removed, and nothing was; add --yes to remove it")
    young = [one for one in deleted if one.purged_at is None and one.deleted_at and one.deleted_at > before]
    if young:
        note(f"{len(young)} deleted less than {days:g} days ago; `--older-than 0` takes them, too")
    if yes and any(waste.is_left for waste in found):
        raise StorageError(
            "some files could not be removed; the next `seqloom models gc --yes` tries again"
        )


def _json(waste: Waste, *, removed: bool) -> dict[str, Any]:
    return {
        "name": waste.name,
        "folder": waste.folder,
        "paths": [str(path) for path in waste.paths],
        "size_bytes": waste.size_bytes,
        "obstacle": waste.obstacle,
        "removed": removed and waste.obstacle is None,
    }


def _row(waste: Waste) -> tuple[str, str, str]:
    is_part = waste.paths and str(waste.paths[0]) != waste.folder
    return (
        waste.name,
        _size(waste.size_bytes),
        f"{waste.folder} (but for models)" if is_part else waste.folder,
    )


def _size(count: int) -> str:
    """``12.3 MiB``."""
    for power, unit in ((3, "GiB"), (2, "MiB"), (1, "KiB")):
        if count >= 1024**power:
            return f"{count / 1024**power:,.1f} {unit}"
    return f"{count} bytes"


def verify(
    context: typer.Context,
    uris: Annotated[
        list[str] | None, typer.Argument(metavar="[MODEL]...", help="As `show` takes them.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All models that are not deleted.")] = False,
    as_json: Json = False,
) -> None:
    """Hash all files of models anew. They are compared with what was registered."""
    from seqloom.transfer import check_model  # noqa: PLC0415 - imports torch

    if bool(uris) == every:
        raise UsageError("name the models to verify, or give --all")
    troubles: dict[str, str | None] = {}
    with open_registry(context) as registry:
        models = registry.models() if every else [registry.model(uri) for uri in uris or ()]
    for model in models:
        try:
            check_model(model)
        except SeqloomError as error:
            troubles[model.uri] = str(error)
        else:
            troubles[model.uri] = None
        if not as_json:
            typer.echo(f"{model.uri}: {troubles[model.uri] or 'whole'}")
    if as_json:
        print_json([{"uri": uri, "trouble": trouble} for uri, trouble in troubles.items()])
    if bad := [uri for uri, trouble in troubles.items() if trouble is not None]:
        raise CorruptError(
            f"{len(bad)} of {len(troubles)} models are not what was registered: {', '.join(bad)}"
        )


def export(
    context: typer.Context,
    uri: Annotated[str, typer.Argument(metavar="MODEL", help="As `show` takes it.")],
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="The archive to write, a .tar; - for stdout.")
    ],
) -> None:
    """Write a model to one file. It holds what is known of it, too, to be imported elsewhere."""
    from seqloom.transfer import export_archive, export_file  # noqa: PLC0415 - imports torch

    with open_registry(context) as registry:
        model = registry.model(uri)
        if file == "-":
            if sys.stdout.isatty():
                raise UsageError("an archive is nothing for a terminal; name a file, or use a pipe")
            export_archive(registry, model, sys.stdout.buffer)
            return
        if Path(file).is_dir():
            raise UsageError(f"{file} is a folder; name a file, as {file.rstrip('/')}/{model.name}.tar")
        export_file(registry, model, Path(file))
    note(f"{model.uri} is in {file}")


def import_(
    context: typer.Context,
    source: Annotated[
        str,
        typer.Argument(metavar="FILE", help="An archive of `export`, or a model's folder; - for stdin."),
    ],
    name: Annotated[
        str | None, typer.Option(help="What to call it, instead of what it was called.")
    ] = None,
) -> None:
    """Register a model from elsewhere. It is the next version of its name; its files are copied."""
    from seqloom.registry.store import runs_folder  # noqa: PLC0415 - `--help` never pays for a database
    from seqloom.transfer import import_file, import_stream  # noqa: PLC0415 - imports torch

    with open_registry(context) as registry:
        if source == "-":
            imported = import_stream(registry, runs_folder(), sys.stdin.buffer, "stdin", name)
        else:
            imported = import_file(registry, runs_folder(), Path(source), name)
    origin = "" if imported.origin is None else f", which was {imported.origin}"
    typer.echo(imported.model.uri)
    note(f"{imported.model.uri} is in {imported.model.folder}{origin}")
    if imported.aliases:
        note(f"aliases stay behind: there it was {', '.join(imported.aliases)}")
