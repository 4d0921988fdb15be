"""The page of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from starlette.responses import RedirectResponse, Response

from seqloom.page.charts import Chart, charts_of
from seqloom.page.configuration import sections
from seqloom.page.events import happenings
from seqloom.page.metrics import BIG_BYTES, Log
from seqloom.page.place import Place, address, place_of, within
from seqloom.page.samples import sample_steps
from seqloom.page.views.runs import latest
from seqloom.registry.records import Run

METRICS: Final = "metrics.jsonl"
MOST_SCORES: Final = 200  # in the table
CHIEF: Final = 3  # scores above the curves

router = APIRouter()
Here = Annotated[Place, Depends(place_of)]


@router.get("/runs/{run_id}")
def show_run(place: Here, run_id: str) -> Response:
    """All that is known of a run."""
    run = place.registry.run(run_id)
    if run.id != run_id:  # the beginning of an id
        return RedirectResponse(address("runs", run.id))
    folder = place.folder(run)
    steps = [] if folder is None else sample_steps(folder)
    live = _live(place, run, folder, wait=False)
    return place.page(
        "run.html",
        section="runs",
        run=run,
        folder=folder,
        config=sections(run.config),
        sample_steps=steps,
        scores=list(reversed(run.scores))[:MOST_SCORES],
        artefacts=place.registry.artefacts(run.id),
        **live,
    )


@router.get("/runs/{run_id}/live")
def live_run(place: Here, run_id: str) -> Response:
    """What changes while a run goes on: a part of its page, which asks for it again and again."""
    run = place.registry.run(run_id)
    live = _live(place, run, place.folder(run), wait=True)
    return place.page("live.html", run=run, **live)


def _live(place: Place, run: Run, folder: Path | None, *, wait: bool) -> dict[str, Any]:
    """What the live part shows.

    Args:
        place: Where to look.
        run: The run.
        folder: Its folder, None for none.
        wait: Whether a long file is read before the answer; else the page asks for it once it is shown.
    """
    file = None if folder is None else within(folder, METRICS)
    log = Log() if file is None else place.logs.of(file)
    is_read = file is None or wait or log.waiting(file) <= BIG_BYTES
    charts: list[Chart] = []
    last: Mapping[str, float] = {}
    written: list[Mapping[str, Any]] = []
    unread = 0
    if is_read:
        with log.read(file):
            charts = charts_of(run, log)
            last, written, unread = log.last, list(log.events), log.unread
    events = happenings(place.registry.events(run.id), written)
    chief = [(name, score) for name, score in latest(run).items() if name.isidentifier()][:CHIEF]
    return {
        "charts": charts,
        "chief": chief,
        "events": events,
        "is_read": is_read,
        "last": last,
        "unread": unread,
    }


@contextmanager
def log_of(place: Place, run: Run) -> Iterator[Log]:
    """What a run's file says, read to its end, held still while the block looks."""
    folder = place.folder(run)
    file = None if folder is None else within(folder, METRICS)
    log = Log() if file is None else place.logs.of(file)
    with log.read(file):
        yield log
