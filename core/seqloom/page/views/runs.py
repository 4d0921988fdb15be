"""The table of runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from starlette.responses import Response

from seqloom.errors import UsageError
from seqloom.page.asking import asked, narrowed, place_of_mistake, sorted_by, sorting
from seqloom.page.place import Place, address, place_of
from seqloom.registry.records import Model, Run, Score

PAGE: Final = 50  # rows
METRICS: Final = 4  # columns of scores
FILTERS: Final = (
    ("All", ""),
    ("Running", "status = 'running'"),
    ("Failed", "status = 'failed'"),
    ("Trainings", "kind = 'train'"),
    ("Evaluations", "kind = 'evaluate'"),
    ("Decodings", "kind = 'decode'"),
)
EXAMPLES: Final = (
    "task = 'translation' and status = 'finished'",
    "config.model.encoder.name like 'trans%' and not status in ('failed', 'interrupted')",
    "created >= '2026-11-01' order by created",
)

router = APIRouter()


@dataclass(frozen=True)
class Heading:
    """The head of a column that rows can be sorted by.

    Attributes:
        title: What it says.
        href: Sorts by it.
        sorted: ``ascending`` or ``descending``; ``none`` where rows are not sorted by it.
        is_figure: Whether its values are numbers.
    """

    title: str
    href: str
    sorted: str = "none"
    is_figure: bool = False


@router.get("/runs")
def list_runs(
    place: Annotated[Place, Depends(place_of)], where: str = "", after: str | None = None
) -> Response:
    """A page of runs that fit a query."""
    shown: dict[str, Any] = {
        "section": "runs",
        "where": where,
        "filters": FILTERS,
        "examples": EXAMPLES,
        "noun": "runs",
    }
    try:
        found = place.registry.runs(asked(where), PAGE + 1, after=after)
    except UsageError as error:
        said = str(error)
        return place.page("runs.html", 400, **shown, mistake=said, caret=place_of_mistake(said), rows=[])
    rows = found[:PAGE]
    metrics = common_metrics(rows)
    headings = [
        heading("runs", where, title, name, is_descending_first=name == "created")
        for title, name in (
            ("Name", "name"), ("Status", "status"), ("Task", "task"), ("Started", "created"),
        )
    ]  # fmt: skip
    return place.page(
        "runs.html",
        **shown,
        rows=rows,
        headings=headings,
        metrics=metrics,
        columns=[heading("runs", where, name, name, is_figure=True) for name in metrics],
        latest=latest,
        narrow=lambda field, value: address("runs", where=narrowed(where, field, value)),
        here=_here(where, after),
        next=_here(where, rows[-1].id) if len(found) > PAGE else None,
        is_first=after is None,
        is_live=any(run.status == "running" for run in rows),
        mistake=None,
        caret=None,
    )


def heading(
    noun: str,
    where: str,
    title: str,
    name: str,
    *,
    is_descending_first: bool = True,
    is_figure: bool = False,
) -> Heading:
    """The head of a column; it sorts, and turns the order round where it is sorted by already."""
    current = sorting(where)
    is_current = current is not None and current[0] == name
    down = not current[1] if current is not None and is_current else is_descending_first
    state = "none" if current is None or not is_current else "descending" if current[1] else "ascending"
    href = address(noun, where=sorted_by(where, name, descending=down))
    return Heading(title, href, state, is_figure)


def latest(record: Run | Model) -> dict[str, Score]:
    """Each metric's score after the most steps, as a query means it."""
    return {score.metric: score for score in sorted(record.scores, key=lambda score: score.step)}


def common_metrics(rows: Sequence[Run | Model]) -> list[str]:
    """The scores that most of these have; those of groups and baselines have a page of their own."""
    counted = Counter(
        name for row in rows for name in {score.metric for score in row.scores} if name.isidentifier()
    )
    most = sorted(counted, key=lambda name: (-counted[name], name))[:METRICS]
    return sorted(most)


def _here(where: str, after: str | None) -> str:
    asked_for = {"where": where} if where else {}
    return address("runs", **asked_for, **({} if after is None else {"after": after}))
