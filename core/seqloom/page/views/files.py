"""Samples of a run, the pictures and recordings that they name, and what was attended to."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header
from fastapi import Path as PathParameter
from starlette.exceptions import HTTPException
from starlette.responses import Response

from seqloom.page.media import OF_KIND, open_medium, sent
from seqloom.page.place import Place, place_of
from seqloom.page.samples import Sample, read_samples

router = APIRouter()
Step = Annotated[int, PathParameter(ge=0, lt=10**16)]
Position = Annotated[int, PathParameter(ge=0, lt=10**6)]
Here = Annotated[Place, Depends(place_of)]


@router.get("/runs/{run_id}/samples/{step}")
def samples_of_step(place: Here, run_id: str, step: Step) -> Response:
    """The samples of a step: a part of a run's page."""
    run = place.registry.run(run_id)
    folder = place.folder(run)
    samples, unread = ([], 0) if folder is None else read_samples(folder, step)
    return place.page("samples.html", run=run, step=step, samples=samples, unread=unread)


@router.get("/runs/{run_id}/samples/{step}/{position}/{slot}")
def input_of_sample(
    place: Here,
    run_id: str,
    step: Step,
    position: Position,
    slot: str,
    wanted: Annotated[str | None, Header(alias="range")] = None,
) -> Response:
    """The picture or the recording that a sample of this run names; no other file is ever sent."""
    sample = _sample(place, run_id, step, position)
    given = next((one for one in sample.inputs if one.slot == slot), None)
    if given is None or given.file is None or given.kind not in OF_KIND:
        raise HTTPException(404, "this sample names no such file")
    medium = open_medium(given.file, given.kind)
    if isinstance(medium, str):
        return place.error(404, medium)
    return sent(medium, wanted)


@router.get("/runs/{run_id}/attention/{step}/{position}")
def attention_of_sample(place: Here, run_id: str, step: Step, position: Position) -> Response:
    """What each token of a sample's prediction looked at: a part of a run's page."""
    sample = _sample(place, run_id, step, position)
    if sample.attention is None:
        return place.error(404, "nothing is known of what this prediction looked at")
    return place.page("attention.html", sample=sample, run_id=run_id, step=step, position=position)


def _sample(place: Place, run_id: str, step: int, position: int) -> Sample:
    folder = place.folder(place.registry.run(run_id))
    samples = [] if folder is None else read_samples(folder, step)[0]
    if position >= len(samples):
        raise HTTPException(404, "this run has no such sample")
    return samples[position]
