"""What came from what, as a drawing: a part of the pages of runs and models."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends
from starlette.responses import Response

from seqloom.page.lineage import Drawing, Node, draw
from seqloom.page.place import Place, address, model_address, place_of
from seqloom.registry.records import LineageNode

MOST: Final = 8  # of a kind next to a node
TITLED: Final = ("path", "rows", "scores", "status", "started", "registered", "deleted")
"""Details that are told of a node when one points at it."""

router = APIRouter()


@router.get("/lineage")
def lineage_of(place: Annotated[Place, Depends(place_of)], of: str) -> Response:
    """The lineage of a run or a model."""
    drawing, about = drawn(place, of)
    return place.page("lineage.html", drawing=drawing, about=about)


def drawn(place: Place, subject: str) -> tuple[Drawing, str]:
    """A drawing, and the id of the node that it is about."""
    lineage = place.registry.lineage(subject, limit=MOST)
    by_name = sorted(lineage.nodes, key=lambda one: (one.kind, one.label))
    return draw([_node(one) for one in by_name], lineage.edges), lineage.about


def _node(node: LineageNode) -> Node:
    known = [f"{name} {node.details[name]}" for name in TITLED if name in node.details]
    kind = node.details.get("kind", node.kind)
    return Node(node.id, kind, node.label, _href(node), "\n".join([node.label, *known]))


def _href(node: LineageNode) -> str | None:
    """Its page; of what a run left, the run's."""
    if node.kind == "data":
        return address("runs", where=f"data_sha256 = '{node.details['sha256']}'")
    if node.kind == "run":
        return address("runs", node.label)
    if node.kind == "model" and "registered" in node.details:
        return model_address(node.id)
    return address("runs", node.details["run"]) if "run" in node.details else None
