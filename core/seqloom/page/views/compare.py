"""Several runs or models beside each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from seqloom.errors import UsageError
from seqloom.page.charts import Chart, overlaid
from seqloom.page.place import Place, place_of
from seqloom.page.views.run import log_of
from seqloom.registry.comparison import Beside, Subject
from seqloom.registry.comparison import compare as compared

MOST: Final = 8  # more curves in one chart cannot be told apart
MOST_ROWS: Final = 300
ID_END: Final = 6  # characters of an id that tell it from others

router = APIRouter()


@router.get("/compare")
def compare(
    place: Annotated[Place, Depends(place_of)], run: Annotated[list[str] | None, Query()] = None
) -> Response:
    """Curves overlaid, scores of one signature side by side, and all else in which they differ."""
    named = list(dict.fromkeys(run or ()))
    if not 2 <= len(named) <= MOST:
        raise UsageError(
            f"choose from 2 to {MOST} runs or models to compare (found {len(named)}): tick them in a table"
        )
    subjects = list({one.name: one for one in map(place.registry.subject, named)}.values())
    comparison = compared(subjects, place.higher_is_better)
    return place.page(
        "compare.html",
        section="",
        subjects=subjects,
        labels=labels(subjects),
        charts=_charts(place, subjects),
        comparison=comparison,
        config=comparison.config[:MOST_ROWS],
        scores=comparison.scores[:MOST_ROWS],
        apart=comparison.apart[:MOST_ROWS],
        is_best=_is_best,
    )


def labels(subjects: Sequence[Subject]) -> list[str]:
    """What they are called in a legend: models by name and version, runs by name, or with the id's end."""
    names = [_name(one) for one in subjects]
    return [
        f"{name} {one.name[-ID_END:]}" if names.count(name) > 1 else name
        for name, one in zip(names, subjects, strict=True)
    ]


def _name(subject: Subject) -> str:
    is_run = subject.run is not None and subject.run.id == subject.name
    return subject.run.name if is_run and subject.run else subject.name.removeprefix("models:/")


def _charts(place: Place, subjects: Sequence[Subject]) -> list[Chart]:
    """The curves of the runs, or of those that made the models."""
    runs = {label: one.run for label, one in zip(labels(subjects), subjects, strict=True) if one.run}
    with ExitStack() as held:
        # Always in the same order, so that two who compare the same runs never wait for each other.
        in_order = sorted({one.id: one for one in runs.values()}.items())
        logs = {name: held.enter_context(log_of(place, one)) for name, one in in_order}
        charts = overlaid([(label, one, logs[one.id]) for label, one in runs.items()])
    return [chart for chart in charts if chart.is_worth_it]


def _is_best(row: Beside, position: int) -> bool:
    """Whether this is the best of the last values, where it is known which way is better."""
    lasts = [None if one is None else one.last.value for one in row.standings]
    values = [value for value in lasts if value is not None and not math.isnan(value)]
    if row.higher_is_better is None or not values or min(values) == max(values):
        return False
    return lasts[position] == (max(values) if row.higher_is_better else min(values))
