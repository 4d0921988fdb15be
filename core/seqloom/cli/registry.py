"""``seqloom registry``: the database itself: what it is, whether it is sound, and how it is kept so."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqloom.cli.output import State, note, open_registry, print_json, print_table
from seqloom.cli.runs import Json
from seqloom.errors import StorageError

if TYPE_CHECKING:
    from seqloom.registry.survey import Survey

registry_app = typer.Typer(
    no_args_is_help=True, help="Look at the registry's database, back it up, check and mend it."
)


@registry_app.command()
def info(context: typer.Context, as_json: Json = False) -> None:
    """Show which database it is, of which schema, and how much is in it; nothing is made or upgraded."""
    from seqloom.registry.survey import survey  # noqa: PLC0415 - `--help` never pays for a database

    found = survey(_url(context))
    if as_json:
        print_json(found)
    else:
        print_table(("registry", found.url), list(_facts(found)))


@registry_app.command()
def upgrade(
    context: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what is missing, and do nothing.")
    ] = False,
) -> None:
    """Bring an older registry to the newest schema, as opening it does too; a copy is kept before."""
    from seqloom.registry.migrate import missing_migrations  # noqa: PLC0415

    found = _there(context)
    if found.state == "newest":
        note(f"{found.url} has schema {found.schema}, the newest")
        return
    if found.state == "older":
        print_table(("schema", "brings"), missing_migrations(found.schema))
    if dry_run and found.state == "older":
        note(f"{found.url} has schema {found.schema}; nothing was changed")
        return
    with open_registry(context) as registry:
        registry.prepare()  # of a newer schema, or another program's: says so
    copy = _newest_copy(context, found.schema)
    kept = "" if copy is None else f"; a copy of it as it was is {copy}"
    note(f"{found.url} had schema {found.schema}, and has {found.newest_schema}{kept}")


@registry_app.command()
def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file, which is a registry itself.")],
) -> None:
    """Write a copy of the registry, as it is now, to a new file of SQLite's, while others use it."""
    from seqloom.registry.copying import back_up  # noqa: PLC0415

    size = back_up(_url(context), file)
    note(
        f"{file} is whole ({_size(size)}), and a registry itself: seqloom --registry sqlite:///{file} …; "
        "to go back to it, put it in the registry's place, and take the files in -wal and -shm there away"
    )


@registry_app.command()
def check(
    context: typer.Context,
    mend: Annotated[
        bool,
        typer.Option(
            "--mend",
            help="Write records in run folders anew, enter what waits there, and say of runs whose "
            "process is gone that they were interrupted.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Look for what is wrong with the registry, or between it and run folders; ends in 74 if it is."""
    from seqloom.registry.checking import check as look  # noqa: PLC0415

    found = _there(context)
    if found.state == "older":
        raise StorageError(f"{found.url} has schema {found.schema}; first: seqloom registry upgrade")
    if mend:
        _tell_waiting(context)
    findings = []
    for finding in look(_url(context), mend=mend):
        findings.append(finding)
        if not as_json:
            typer.echo(
                f"{finding.about}: {finding.found}; " + ("mended" if finding.is_mended else finding.advice)
            )
    left = [finding for finding in findings if not finding.is_mended]
    if as_json:
        print_json(findings)
    elif not findings:
        note(f"{found.url} is as it should be")
    if left:
        raise typer.Exit(StorageError.exit_code)


@registry_app.command()
def rebuild(
    context: typer.Context,
    runs: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FOLDER", help="Where run folders are; may be repeated; else as for all commands."
        ),
    ] = None,
    to: Annotated[
        str | None, typer.Option(metavar="URL", help="Where the new one is to be; else in its own place.")
    ] = None,
) -> None:
    """Make a registry that is lost or damaged anew, of the run folders alone.

    The damaged file is kept under another name. A registry that is neither stays as it is.
    """
    from seqloom.registry.rebuilding import rebuild as make  # noqa: PLC0415
    from seqloom.registry.store import Registry, runs_folder  # noqa: PLC0415
    from seqloom.waiting import tell_waiting  # noqa: PLC0415

    url = to or _url(context)
    done = make(url, runs or [runs_folder()])
    for remark in done.remarks:
        typer.echo(remark)
    if done.kept is not None:
        note(f"the damaged registry is {done.kept} now")
    with Registry(url) as registry:
        for waiting, why in tell_waiting(registry, done.folders, note):
            typer.echo(f"{waiting}: {why}")
    note(f"made anew: runs {done.runs:,}, versions of models {done.models:,}")


def _url(context: typer.Context) -> str:
    """The registry that the command line names."""
    from seqloom.registry.opened import DEFAULT_URL  # noqa: PLC0415

    given = context.ensure_object(State).registry
    return given or os.environ.get("SEQLOOM_REGISTRY") or DEFAULT_URL


def _there(context: typer.Context) -> Survey:
    """What is at the registry's place; of one that a damaged file does not tell of, nothing is known.

    Raises:
        StorageError: There is no registry.
    """
    from seqloom.registry.survey import survey  # noqa: PLC0415

    found = survey(_url(context))
    if found.state in {"absent", "empty"}:
        raise StorageError(
            f"there is no registry at {found.url}; the first job makes it, or seqloom registry rebuild, of "
            "the run folders that are there"
        )
    return found


def _newest_copy(context: typer.Context, schema: str | None) -> Path | None:
    """Where an upgrade kept what was there before; None with a server."""
    from seqloom.registry.place import sqlite_file  # noqa: PLC0415

    file = sqlite_file(_url(context))
    copies = [] if file is None else file.parent.glob(f"{file.name}.{schema}.*bak")
    return max(copies, key=lambda copy: copy.stat().st_mtime, default=None)


def _tell_waiting(context: typer.Context) -> None:
    from seqloom.registry.checking import run_folders  # noqa: PLC0415
    from seqloom.waiting import tell_waiting  # noqa: PLC0415

    with open_registry(context) as registry:
        for _ in tell_waiting(registry, run_folders(_url(context)), note):
            pass  # the check will find it, and say what to do


def _facts(found: Survey) -> Iterator[tuple[str, str]]:
    yield "database", found.database
    yield "schema", _schema(found)
    if found.bytes is not None:
        yield "size", _size(found.bytes)
    if not found.counts:
        return
    runs = ", ".join(f"{kind} {status} {number:,}" for kind, status, number in sorted(found.runs))
    yield "runs", f"{found.counts['runs']:,}" + (f" ({runs})" if runs else "")
    yield "models", f"{found.names:,}"
    yield "versions", f"{found.counts['models']:,}"
    for name, number in found.counts.items():
        if name not in {"runs", "models"}:
            yield name.replace("_", " "), f"{number:,}"
    if found.deleted:
        yield "deleted", ", ".join(f"{name} {number:,}" for name, number in found.deleted.items())
    if found.newest_run is not None:
        yield "newest run", found.newest_run


def _schema(found: Survey) -> str:
    known = f"this Seqloom knows up to {found.newest_schema}"
    return {
        "absent": "there is no registry yet; the first job makes it",
        "empty": "there is no registry in it yet; the first job makes it",
        "foreign": "none: it is another program's database",
        "newest": f"{found.schema}, the newest",
        "older": f"{found.schema}, and {known}: seqloom registry upgrade",
        "newer": f"{found.schema}, and {known}: pip install --upgrade seqloom",
    }[found.state]


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 2**20:,.1f} MiB"
