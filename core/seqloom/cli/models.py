"""``seqloom models``: what there is to use, where it came from, and what it is called."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from seqloom.cli.lineage import model_lineage
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
    Form,
    Json,
    Limit,
    RemovedTags,
    Tags,
    Where,
    latest,
    print_scores,
    read_tags,
    tagged,
)
from seqloom.jsonable import jsonable
from seqloom.registry.records import Model

Uri = Annotated[
    str, typer.Argument(metavar="MODEL", help="name, name/3, name@alias; the latest version for a name.")
]

HEADERS = ("model", "aliases", "task", "created (UTC)", "scores")

models_app = typer.Typer(no_args_is_help=True, help="List, show, name and tag models.")
models_app.command("lineage")(model_lineage)


@models_app.command("list")
def list_models(
    context: typer.Context,
    where: Where = None,
    limit: Limit = 20,
    after: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Go on after this model, the last of a page.")
    ] = None,
    form: Form = ListForm.TABLE,
    as_json: Json = False,
) -> None:
    """List models, newest first unless the query says otherwise."""
    with open_registry(context) as registry:
        models = registry.models(where, limit + 1, after=after)
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
    alias: Annotated[str, typer.Argument(help="What to call that version, as champion.")],
    remove: Annotated[bool, typer.Option("--remove", help="Forget the alias instead.")] = False,
) -> None:
    """Give a version of a model an alias, or forget one."""
    with open_registry(context) as registry:
        model = registry.model(uri)
        if remove:
            former = registry.remove_alias(model.name, alias)
            note(f"{model.name}@{alias} is gone; it was {former.uri}")
        else:
            registry.set_alias(model.name, model.version, alias)
            note(f"{model.name}@{alias} is {model.uri}")


@models_app.command("tag")
def tag_model(context: typer.Context, uri: Uri, given: Tags = None, remove: RemovedTags = None) -> None:
    """Say something of a version of a model, to find it by: tags with a value each."""
    tags = read_tags(given, remove)
    with open_registry(context) as registry:
        model = registry.tag_model(uri, tags)
    note(f"{model.uri} {tagged(model.tags)}")


def _json(model: Model) -> dict[str, object]:
    return {"uri": model.uri, **jsonable(model)}


def _row(model: Model) -> tuple[str, ...]:
    return (
        f"{model.name}/{model.version}",
        ", ".join(model.aliases),
        model.task,
        moment(model.created_at),
        latest(model.scores),
    )


def _facts(model: Model) -> Iterator[tuple[str, str]]:
    yield "task", model.task
    if model.aliases:
        yield "aliases", ", ".join(model.aliases)
    if model.tags:
        yield "tags", tagged(model.tags)
    yield "created", f"{moment(model.created_at)} UTC"
    if model.run_id is not None:
        yield "run", model.run_id
    yield "folder", model.folder
    yield "sha256", model.sha256
