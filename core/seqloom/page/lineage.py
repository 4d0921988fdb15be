"""A drawing of what came of what: nodes in layers from left to right, edges between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

LAYERS: Final = ("data", "run", "checkpoint", "model", "evaluation", "decoding", "predictions")
LAYER_OF: Final = {"evaluation": 4, "decoding": 4, "predictions": 5} | {
    kind: layer for layer, kind in enumerate(LAYERS[:4])
}
WIDTH: Final = 190
HEIGHT: Final = 48
GAP: Final = 56  # between layers
SPACE: Final = 16  # between nodes of a layer
LONGEST: Final = 23  # characters of a label that a node has room for


@dataclass(frozen=True)
class Node:
    """Something that came of something.

    Attributes:
        id: What edges call it.
        kind: One of :data:`LAYERS`.
        label: What it is called.
        href: Its page; None where it has none.
    """

    id: str
    kind: str
    label: str
    href: str | None = None

    @property
    def short(self) -> str:
        """The label as long as there is room: its end tells more than its middle."""
        if len(self.label) <= LONGEST:
            return self.label
        return f"{self.label[:8]}…{self.label[9 - LONGEST :]}"


@dataclass(frozen=True)
class Box:
    """Where a node is drawn, its left upper corner."""

    node: Node
    x: float
    y: float


@dataclass(frozen=True)
class Drawing:
    """A whole drawing.

    Attributes:
        boxes: Where the nodes are.
        paths: The edges, as SVG has it.
        width: Of all of it.
        height: Of all of it.
        box: Width and height of a box.
    """

    boxes: Sequence[Box]
    paths: Sequence[str]
    width: float
    height: float
    box: tuple[int, int] = (WIDTH, HEIGHT)


def draw(nodes: Sequence[Node], edges: Sequence[tuple[str, str]]) -> Drawing:
    """Lays nodes out: layers by kind, and within a layer near to what they came of.

    Args:
        nodes: What there is; one of an unknown kind stands with the runs.
        edges: Pairs of ids, from and to; those of unknown nodes are left out.
    """
    layers = [[node for node in nodes if _layer(node) == layer] for layer in range(len(LAYERS))]
    columns = _untangled([layer for layer in layers if layer], edges)
    tallest = max((len(column) for column in columns), default=0)
    height = max(HEIGHT, tallest * (HEIGHT + SPACE) - SPACE)
    boxes: dict[str, Box] = {}
    for place, column in enumerate(columns):
        top = (height - (len(column) * (HEIGHT + SPACE) - SPACE)) / 2
        for row, node in enumerate(column):
            boxes[node.id] = Box(node, place * (WIDTH + GAP), top + row * (HEIGHT + SPACE))
    paths = [_path(boxes[start], boxes[end]) for start, end in edges if start in boxes and end in boxes]
    return Drawing(list(boxes.values()), paths, max(0, len(columns) * (WIDTH + GAP) - GAP), height)


def _layer(node: Node) -> int:
    return LAYER_OF.get(node.kind, LAYER_OF["run"])


def _untangled(
    columns: Sequence[Sequence[Node]], edges: Sequence[tuple[str, str]]
) -> Sequence[Sequence[Node]]:
    """Columns whose nodes stand by the mean height of what leads to them: few edges cross."""
    sources: dict[str, list[str]] = {}
    for start, end in edges:
        sources.setdefault(end, []).append(start)
    heights: dict[str, float] = {}

    def height(node: Node) -> float:
        known = [heights[one] for one in sources.get(node.id, ()) if one in heights]
        return sum(known) / len(known) if known else 0.5

    found: list[Sequence[Node]] = []
    for column in columns:
        ordered = sorted(column, key=height)
        heights.update((node.id, (row + 0.5) / len(ordered)) for row, node in enumerate(ordered))
        found.append(ordered)
    return found


def _path(start: Box, end: Box) -> str:
    """A curve from the right of one box to the left of another."""
    x1, y1 = start.x + WIDTH, start.y + HEIGHT / 2
    x2, y2 = end.x, end.y + HEIGHT / 2
    bend = max(GAP / 2, (x2 - x1) / 2)
    return f"M{x1:g} {y1:g}C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2:g} {y2:g}"
