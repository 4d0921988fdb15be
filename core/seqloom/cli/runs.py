"""``seqloom runs``: what was done, with which configuration, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

import typer

from seqloom.cli.lineage import run_lineage
from seqloom.cli.output import (
    ListForm,
    duration,
    moment,
    note,
    open_registry,
    print_json,
    print_list,
    print_table,
    visible,
)
from seqloom.cli.runs_files import delete_runs, tail_run
from seqloom.errors import UsageError
from seqloom.jsonable import jsonable
from seqloom.registry.records import Artefact, DataFile, Event, Model, Note, Run, Score

Where = Annotated[
    str | None,
    typer.Option(
        help="Only those that fit, as \"task = 'translation' and (bleu > 30 or chrf > 60) "
        'order by bleu desc".',
        metavar="QUERY",
    ),
]
Limit = Annotated[int, typer.Option(min=1, help="At most so many; newest first, unless the query says.")]
Form = Annotated[ListForm, typer.Option("--format", help="How to print them.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Deleted = Annotated[bool, typer.Option("--deleted", help="Those that were deleted, too.")]
Text = Annotated[str, typer.Argument(metavar="TEXT", help="What there is to say, in quotes.")]
Tags = Annotated[list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Tags to set.")]
RemovedTags = Annotated[
    list[str] | None, typer.Option("--remove", metavar="KEY", help="A tag to take away; may be repeated.")
]
HEADERS = ("run", "kind", "status", "name", "task", "device", "started (UTC)", "took", "scores")

runs_app = typer.Typer(no_args_is_help=True, help="List, show, follow, tag and delete runs.")


@runs_app.command("list")
def list_runs(
    context: typer.Context,
    where: Where = None,
    limit: Limit = 20,
    after: Annotated[
        str | None, typer.Option(metavar="ID", help="Go on after this run, the last of a page.")
    ] = None,
    deleted: Deleted = False,
    form: Form = ListForm.TABLE,
    as_json: Json = False,
) -> None:
    """List runs, newest first unless the query says otherwise."""
    with open_registry(context) as registry:
        runs = registry.runs(where, limit + 1, after=after, deleted=deleted)
    form, shown = ListForm.JSON if as_json else form, runs[:limit]
    if form is ListForm.TABLE and not shown:
        note("no runs" if where is None else "no run fits")
        return
    print_list(form, HEADERS, [_row(run) for run in shown], shown)
    if len(runs) > limit:
        note(f"there are more; go on with --after {shown[-1].id}")


@runs_app.command("show")
def show_run(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(metavar="ID", help="A run's id, or the beginning of it.")],
    as_json: Json = False,
) -> None:
    """Show all that is known of a run."""
    import yaml  # noqa: PLC0415 - `--help` never pays for it

    with open_registry(context) as registry:
        run = registry.run(run_id)
        left, events = registry.artefacts(run.id), registry.events(run.id)
    if as_json:
        print_json({**jsonable(run), "artefacts": left, "events": events})
        return
    print_table(("run", run.id), [*_facts(run), *((one.kind, _left(one)) for one in left)])
    config = yaml.safe_dump(dict(run.config), sort_keys=False, allow_unicode=True)
    typer.echo("\nconfig:\n" + _indented(visible(config, lines=True)))
    if run.scores:
        print_scores(run.scores)
    if events:
        typer.echo()
        happened = [(moment(event.at), event.kind, _details(event)) for event in events]
        print_table(("at (UTC)", "what happened", "details"), happened)


@runs_app.command("tag")
def tag_run(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(metavar="ID", help="A run's id, or the beginning of it.")],
    given: Tags = None,
    remove: RemovedTags = None,
) -> None:
    """Say something of a run, to find it by: tags with a value each."""
    tags = read_tags(given, remove)
    with open_registry(context) as registry:
        run = registry.tag_run(run_id, tags)
    note(f"{run.id} {tagged(run.tags)}")


@runs_app.command("note")
def note_run(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(metavar="ID", help="A run's id, or the beginning of it.")],
    text: Text,
) -> None:
    """Write something about a run. `show` shows it."""
    with open_registry(context) as registry:
        run = registry.note_run(run_id, text)
    note(f"{run.id} has {noted(run.notes)}")


runs_app.command("rm")(delete_runs)
runs_app.command("tail")(tail_run)
runs_app.command("lineage")(run_lineage)


def noted(notes: Sequence[Note]) -> str:
    """``1 note``."""
    return "1 note" if len(notes) == 1 else f"{len(notes)} notes"


def said_of(record: Run | Model) -> Iterator[tuple[str, str]]:
    """Tags, notes and whether it is deleted, a line each."""
    if record.tags:
        yield "tags", tagged(record.tags)
    for one in record.notes:
        yield f"note of {moment(one.at)}", one.text
    if record.deleted_at is not None:
        yield "deleted", f"{moment(record.deleted_at)} UTC"
    if record.purged_at is not None:
        yield "files removed", f"{moment(record.purged_at)} UTC"


def standing(record: Run | Model) -> str:
    """``deleted``, ``removed``, or nothing."""
    if record.purged_at is not None:
        return "removed"
    return "" if record.deleted_at is None else "deleted"


def read_tags(given: list[str] | None, removed: list[str] | None) -> dict[str, str | None]:
    """What ``KEY=VALUE …`` and ``--remove KEY`` ask for.

    Raises:
        UsageError: A text that is no tag, or a key that is there twice; or there is nothing to do.
    """
    pairs = [(one, *one.partition("=")) for one in given or ()]
    for text, key, equals, _ in pairs:
        if not key or not equals:
            raise UsageError(f"'{text}' is no tag: write KEY=VALUE, as team=mt")
    keys = [key for _, key, _, _ in pairs] + (removed or [])
    if not keys:
        raise UsageError("nothing to tag: write KEY=VALUE, or --remove KEY")
    for key in keys:
        if keys.count(key) > 1:
            raise UsageError(f"tag '{key}' is given twice")
    return {key: value for _, key, _, value in pairs} | dict.fromkeys(removed or ())


def tagged(tags: Mapping[str, str]) -> str:
    """``team=mt, lang=de``; ``has no tags``."""
    return ", ".join(f"{key}={value}" for key, value in tags.items()) or "has no tags"


def latest(scores: tuple[Score, ...]) -> str:
    """Each metric's newest value in a few characters: ``bleu 31.20, ppl 4.71``."""
    newest = {score.metric: score for score in sorted(scores, key=lambda score: score.step)}
    return ", ".join(f"{metric} {newest[metric].value:.2f}" for metric in sorted(newest))


def print_scores(scores: tuple[Score, ...]) -> None:
    """Prints scores with all that makes them comparable."""
    rows = [
        (score.metric, f"{score.value:.4f}", score.split, str(score.step), score.signature)
        for score in scores
    ]
    print_table(("metric", "value", "split", "step", "signature"), rows)


def _row(run: Run) -> tuple[str, ...]:
    return (
        *(run.id, run.kind, standing(run) or run.status, run.name, run.task, run.device),
        *(moment(run.started_at), duration(run.started_at, run.ended_at), latest(run.scores)),
    )


def _facts(run: Run) -> Iterator[tuple[str, str]]:
    yield "kind", run.kind
    yield "status", run.status
    if run.error is not None:
        yield "error", run.error
    yield "name", run.name
    yield "task", run.task
    yield "seed", str(run.seed)
    yield "device", f"{run.device} ({run.device_reason})"
    yield "started", f"{moment(run.started_at)} UTC"
    if run.ended_at is not None:
        yield "ended", f"{moment(run.ended_at)} UTC, after {duration(run.started_at, run.ended_at)}"
    if run.folder:
        yield "folder", run.folder
    if run.model is not None:
        yield "model", run.model
    yield from said_of(run)
    yield from run.environment.items()
    if run.git:
        yield "git", ", ".join(f"{name} {value}" for name, value in run.git.items())
    for name, version in run.versions.items():
        yield f"version of {name}", version
    for file in run.data:
        yield f"{file.split} data {file.path}".lstrip(), _content(file)


def _content(file: DataFile) -> str:
    """``sha256 …, 1,000 rows, 52,104 bytes``, as far as it is known."""
    sizes = ((file.rows, "rows"), (file.bytes, "bytes"))
    known = [f"{size:,} {unit}" for size, unit in sizes if size is not None]
    return ", ".join([f"sha256 {file.sha256}", *known])


def _left(artefact: Artefact) -> str:
    return f"{artefact.path}, sha256 {artefact.sha256}, {artefact.bytes:,} bytes"


def _details(event: Event) -> str:
    """``step 300, metric ppl, value 2.01``."""
    return ", ".join(f"{name} {value}" for name, value in event.details.items())


def _indented(text: str) -> str:
    return "".join(f"  {line}" for line in text.splitlines(keepends=True))
