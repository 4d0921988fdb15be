"""Several runs beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from seqloom.errors import UsageError
from seqloom.page.charts import overlaid
from seqloom.page.configuration import differences
from seqloom.page.place import Place, place_of
from seqloom.page.views.run import log_of
from seqloom.registry.records import Run, Score

MOST: Final = 8  # runs: more curves in one chart cannot be told apart

router = APIRouter()


@dataclass(frozen=True)
class Beside:
    """A score of several runs that has one signature.

    Attributes:
        metric: What was measured.
        split: On what.
        signature: How.
        scores: Of each run, None where it has none.
    """

    metric: str
    split: str
    signature: str
    scores: Sequence[Score | None]


@router.get("/compare")
def compare(
    place: Annotated[Place, Depends(place_of)], run: Annotated[list[str] | None, Query()] = None
) -> Response:
    """Curves overlaid, scores of one signature side by side, and where the configurations differ."""
    named = list(dict.fromkeys(run or ()))
    if not 2 <= len(named) <= MOST:
        raise UsageError(
            f"choose from 2 to {MOST} runs to compare (found {len(named)}): tick them in the table of runs"
        )
    runs = list({found.id: found for found in (place.registry.run(one) for one in named)}.values())
    with ExitStack() as logs:
        # Always in the same order, so that two who compare the same runs never wait for each other.
        logs_by_id = {one.id: logs.enter_context(log_of(place, one)) for one in sorted(runs, key=_id)}
        charts = overlaid(
            [(label, one, logs_by_id[one.id]) for label, one in zip(labels(runs), runs, strict=True)]
        )
    return place.page(
        "compare.html",
        section="compare",
        runs=runs,
        labels=labels(runs),
        charts=[chart for chart in charts if chart.curves],
        rows=beside(runs),
        differences=differences([one.config for one in runs]),
    )


def labels(runs: Sequence[Run]) -> list[str]:
    """What runs are called in a legend: their names where these differ, else with the end of their ids."""
    names = [one.name for one in runs]
    if len(set(names)) == len(names):
        return names
    return [f"{one.name} {one.id[-6:]}" for one in runs]


def beside(runs: Sequence[Run]) -> list[Beside]:
    """The newest score of each metric, split and signature, of each run."""
    newest: list[dict[tuple[str, str, str], Score]] = [
        {
            (score.metric, score.split, score.signature): score
            for score in sorted(one.scores, key=lambda score: score.step)
        }
        for one in runs
    ]
    keys = sorted({key for table in newest for key in table})
    return [Beside(*key, [table.get(key) for table in newest]) for key in keys]


def _id(run: Run) -> str:
    return run.id
