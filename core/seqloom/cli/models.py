"""``seqloom models``: what there is to use, where it came from, and what it is called."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Final

import typer

from seqloom.cli.lineage import model_lineage
from seqloom.cli.models_files import collect, delete_models, export, import_, verify
from seqloom.cli.output import (
    ListForm,
    moment,
    note,
    open_registry,
    print_json,
    print_list,
    print_table,
)
from seqloom.cli.runs import (
    Deleted,
    Form,
    Json,
    Limit,
    RemovedTags,
    Tags,
    Text,
    Where,
    latest,
    noted,
    print_scores,
    read_tags,
    said_of,
    standing,
    tagged,
)
from seqloom.errors import UsageError
from seqloom.jsonable import jsonable
from seqloom.registry.records import Model

if TYPE_CHECKING:
    from seqloom.registry.aliases import Expected

LONGEST_VERSION: Final = 9  # digits
Uri = Annotated[
    str, typer.Argument(metavar="MODEL", help="name, name/3, name@alias; the latest version for a name.")
]

HEADERS = ("model", "aliases", "task", "created (UTC)", "scores")

models_app = typer.Typer(no_args_is_help=True, help="List, show, name, move and delete models.")


@models_app.command("list")
def list_models(
    context: typer.Context,
    where: Where = None,
    limit: Limit = 20,
    after: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Go on after this model, the last of a page.")
    ] = None,
    deleted: Deleted = False,
    form: Form = ListForm.TABLE,
    as_json: Json = False,
) -> None:
    """List models, newest first unless the query says otherwise."""
    with open_registry(context) as registry:
        models = registry.models(where, limit + 1, after=after, deleted=deleted)
    form, shown = ListForm.JSON if as_json else form, models[:limit]
    if form is ListForm.TABLE and not shown:
        note("no models" if where is None else "no model fits")
        return
    print_list(form, HEADERS, [_row(model) for model in shown], [_json(model) for model in shown])
    if len(models) > limit:
        note(f"there are more; go on with --after {shown[-1].name}/{shown[-1].version}")


@models_app.command("show")
def show_model(context: typer.Context, uri: Uri, as_json: Json = False) -> None:
    """Show all that is known of a model."""
    with open_registry(context) as registry:
        model = registry.model(uri)
    if as_json:
        print_json(_json(model))
        return
    print_table(("model", model.uri), list(_facts(model)))
    if model.scores:
        typer.echo()
        print_scores(model.scores)


@models_app.command("alias")
def alias_model(
    context: typer.Context,
    uri: Uri,
    alias: Annotated[str | None, typer.Argument(help="What to call that version, as champion.")] = None,
    expected: Annotated[
        str | None,
        typer.Option(
            "--if", metavar="VERSION|none", help="Only if it points there until now; none: is new."
        ),
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Forget the alias instead.")] = False,
    history: Annotated[
        bool, typer.Option("--history", help="Tell what it, or any alias of the model, pointed to.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the history as JSON.")] = False,
) -> None:
    """Give a version of a model an alias, or forget one. --history tells what aliases pointed to."""
    if history:
        if remove or expected is not None:
            raise UsageError("--history changes nothing; it goes neither with --if nor with --remove")
        _tell_history(context, uri, alias, as_json=as_json)
        return
    if alias is None or as_json:
        raise UsageError("say which alias, as in `seqloom models alias de-en/3 champion`; or --history")
    wanted = _expected(expected)
    with open_registry(context) as registry:
        model = registry.model(uri)
        if remove:
            former = registry.remove_alias(model.name, alias, expected=wanted)
            note(f"{model.name}@{alias} is gone; it was {former.uri}")
        else:
            registry.set_alias(model.name, model.version, alias, expected=wanted)
            note(f"{model.name}@{alias} is {model.uri}")


def _expected(text: str | None) -> Expected:
    """What ``--if`` says."""
    if text is None:
        return "any"
    if text == "none":
        return "none"
    if not text.isdecimal() or len(text) > LONGEST_VERSION:
        raise UsageError(f"--if {text}: write the number of a version, or none")
    return int(text)


def _tell_history(context: typer.Context, uri: str, alias: str | None, *, as_json: bool) -> None:
    with open_registry(context) as registry:
        name = registry.model(uri).name if uri.startswith("runs:/") else _name(uri)
        changes = registry.alias_history(name, alias)
    if as_json:
        print_json(changes)
    elif not changes:
        note(f"{name} has had no alias" if alias is None else f"{name}@{alias} has never been there")
    else:
        rows = [
            (moment(one.at), f"{one.name}@{one.alias}", _pointed(one.former), _pointed(one.version))
            for one in changes
        ]
        print_table(("at (UTC)", "alias", "from", "to"), rows)


def _name(uri: str) -> str:
    """Of a URI, whether that version is there or not."""
    return re.split("[/@]", uri.removeprefix("models:/"))[0]


def _pointed(version: int | None) -> str:
    return "nothing" if version is None else f"version {version}"


@models_app.command("note")
def note_model(context: typer.Context, uri: Uri, text: Text) -> None:
    """Write something about a model. `show` shows it."""
    with open_registry(context) as registry:
        model = registry.note_model(uri, text)
    note(f"{model.uri} has {noted(model.notes)}")


@models_app.command("tag")
def tag_model(context: typer.Context, uri: Uri, given: Tags = None, remove: RemovedTags = None) -> None:
    """Say something of a version of a model, to find it by: tags with a value each."""
    tags = read_tags(given, remove)
    with open_registry(context) as registry:
        model = registry.tag_model(uri, tags)
    note(f"{model.uri} {tagged(model.tags)}")


models_app.command("lineage")(model_lineage)
models_app.command("verify")(verify)
models_app.command("export")(export)
models_app.command("import")(import_)
models_app.command("rm")(delete_models)
models_app.command("gc")(collect)


def _json(model: Model) -> dict[str, object]:
    return {"uri": model.uri, **jsonable(model)}


def _row(model: Model) -> tuple[str, ...]:
    return (
        f"{model.name}/{model.version}",
        ", ".join(model.aliases) or standing(model),
        model.task,
        moment(model.created_at),
        latest(model.scores),
    )


def _facts(model: Model) -> Iterator[tuple[str, str]]:
    yield "task", model.task
    if model.aliases:
        yield "aliases", ", ".join(model.aliases)
    yield from said_of(model)
    yield "created", f"{moment(model.created_at)} UTC"
    if model.run_id is not None:
        yield "run", model.run_id
    yield "folder", model.folder
    yield "sha256", model.sha256
