"""Models: the table of them, and the page of one."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from starlette.responses import RedirectResponse, Response

from seqloom.errors import UsageError
from seqloom.page.asking import asked, narrowed, place_of_mistake
from seqloom.page.card import read_card
from seqloom.page.place import Place, address, model_address, model_folder, place_of
from seqloom.page.views.lineage import drawn
from seqloom.page.views.runs import PAGE, common_metrics, heading, latest
from seqloom.registry.records import Model

EXAMPLES: Final = ("alias = 'champion'", "task = 'translation' order by created", "name like 'de-%'")
MOST_VERSIONS: Final = 100
MOST_CHANGES: Final = 50

router = APIRouter()
Here = Annotated[Place, Depends(place_of)]


@router.get("/models")
def list_models(place: Here, where: str = "", after: str | None = None) -> Response:
    """A page of models that fit a query."""
    shown: dict[str, Any] = {
        "section": "models",
        "where": where,
        "filters": (),
        "examples": EXAMPLES,
        "noun": "models",
    }
    try:
        found = place.registry.models(asked(where), PAGE + 1, after=after)
    except UsageError as error:
        said = str(error)
        return place.page("models.html", 400, **shown, mistake=said, caret=place_of_mistake(said), rows=[])
    rows = found[:PAGE]
    metrics = common_metrics(rows)
    titles = (("Model", "name"), ("Task", "task"), ("Registered", "created"))
    return place.page(
        "models.html",
        **shown,
        rows=rows,
        headings=[
            heading("models", where, title, name, is_descending_first=name == "created")
            for title, name in titles
        ],
        metrics=metrics,
        columns=[heading("models", where, name, name, is_figure=True) for name in metrics],
        latest=latest,
        narrow=lambda field, value: address("models", where=narrowed(where, field, value)),
        next=_after(where, rows[-1]) if len(found) > PAGE else None,
        is_first=after is None,
        mistake=None,
        caret=None,
    )


@router.get("/models/{name}")
def newest_version(place: Here, name: str) -> Response:
    """Goes on to the page of the version that ``name`` or ``name@alias`` means."""
    return RedirectResponse(model_address(place.registry.model(name).uri))


@router.get("/models/{name}/{version}")
def show_model(place: Here, name: str, version: str) -> Response:
    """All that is known of a version of a model."""
    model = place.registry.model(f"{name}/{version}")
    if (model.name, str(model.version)) != (name, version):
        return RedirectResponse(model_address(model.uri))
    versions = place.registry.models(
        f"name = '{model.name}' order by version desc", MOST_VERSIONS
    )  # names hold no quotes
    folder = model_folder(model)
    drawing, about = drawn(place, model.uri)
    return place.page(
        "model.html",
        section="models",
        model=model,
        versions=versions,
        latest=latest,
        metrics=common_metrics(versions),
        history=place.registry.alias_history(model.name)[:MOST_CHANGES],
        card=None if folder is None else read_card(folder),
        is_there=folder is not None,
        drawing=drawing,
        about=about,
    )


def _after(where: str, model: Model) -> str:
    asked_for = {"where": where} if where else {}
    return address("models", **asked_for, after=f"{model.name}/{model.version}")
