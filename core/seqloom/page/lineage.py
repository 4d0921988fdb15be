"""A drawing of what came from what: nodes in layers from left to right, edges between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 178
HEIGHT: Final = 48
GAP: Final = 44  # between layers
SPACE: Final = 16  # between nodes of a layer
LONGEST: Final = 22  # characters of a label that a box has room for
BEGINNING: Final = 8  # of which so many begin it
SWEEPS: Final = 4

Edges = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Node:
    """Something that came from something.

    Attributes:
        id: What edges call it.
        kind: ``data``, ``run``, ``model``.
        label: What it is called.
        href: Its page; None where it has none.
        title: What else is known of it.
    """

    id: str
    kind: str
    label: str
    href: str | None = None
    title: str = ""

    @property
    def short(self) -> str:
        """The label as long as there is room: its end tells more than its middle."""
        if len(self.label) <= LONGEST:
            return self.label
        return f"{self.label[:BEGINNING]}…{self.label[BEGINNING + 1 - LONGEST :]}"


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


def draw(nodes: Sequence[Node], edges: Edges) -> Drawing:
    """Lays nodes out: each to the right of all that it came from, and near to it.

    Args:
        nodes: What there is.
        edges: Pairs of ids, from and to; those of unknown nodes are left out.
    """
    ids = {node.id for node in nodes}
    known = [(start, end) for start, end in edges if start in ids and end in ids and start != end]
    layers = _layers([node.id for node in nodes], known)
    columns: dict[int, list[Node]] = defaultdict(list)
    for node in nodes:
        columns[layers[node.id]].append(node)
    ordered = _untangled([columns[layer] for layer in sorted(columns)], known)
    height = max((len(column) for column in ordered), default=0) * (HEIGHT + SPACE) - SPACE
    boxes: dict[str, Box] = {}
    for place, column in enumerate(ordered):
        top = (height - (len(column) * (HEIGHT + SPACE) - SPACE)) / 2
        for row, node in enumerate(column):
            boxes[node.id] = Box(node, place * (WIDTH + GAP), top + row * (HEIGHT + SPACE))
    paths = [_path(boxes[start], boxes[end]) for start, end in known]
    return Drawing(list(boxes.values()), paths, max(0, len(ordered) * (WIDTH + GAP) - GAP), max(0, height))


def _layers(ids: Sequence[str], edges: Edges) -> Mapping[str, int]:
    """In which layer each node stands.

    That is one more than the last of those that it came from; what came from nothing stands just before the
    first that came from it. Where nodes came from each other in a circle, it is cut somewhere.
    """
    causes, effects = _beside(edges)
    open_causes = {one: len(causes[one]) for one in ids}
    layers = dict.fromkeys(ids, 0)
    ready = [one for one in ids if not open_causes[one]]
    waiting = [one for one in ids if open_causes[one]]
    done: set[str] = set()
    while ready or waiting:
        now = ready.pop() if ready else waiting.pop(0)
        if now in done:
            continue
        done.add(now)
        for effect in effects[now]:
            if effect not in done:
                layers[effect] = max(layers[effect], layers[now] + 1)
                open_causes[effect] -= 1
                if not open_causes[effect]:
                    ready.append(effect)
    for one in ids:
        if not causes[one] and effects[one]:
            layers[one] = max(0, min(layers[effect] for effect in effects[one]) - 1)
    return layers


def _beside(edges: Edges) -> tuple[Mapping[str, list[str]], Mapping[str, list[str]]]:
    """What each node came from, and what came from it."""
    causes: dict[str, list[str]] = defaultdict(list)
    effects: dict[str, list[str]] = defaultdict(list)
    for start, end in edges:
        causes[end].append(start)
        effects[start].append(end)
    return causes, effects


def _untangled(columns: Sequence[Sequence[Node]], edges: Edges) -> Sequence[Sequence[Node]]:
    """Columns whose nodes stand by the mean height of what they came from, and of what came from them.

    Sorted so from the left, from the right, and so on, few edges cross (Sugiyama et al. 1981).
    """
    found = [list(column) for column in columns]
    causes, effects = _beside(edges)
    heights = {node.id: row / len(column) for column in found for row, node in enumerate(column)}
    for sweep in range(SWEEPS):
        beside = effects if sweep % 2 else causes
        for column in reversed(found) if sweep % 2 else found:
            wanted = {
                node.id: sum(map(heights.__getitem__, beside[node.id])) / len(beside[node.id])
                if beside[node.id]
                else heights[node.id]
                for node in column
            }
            column.sort(key=lambda node: wanted[node.id])
            heights.update((node.id, (row + 0.5) / len(column)) for row, node in enumerate(column))
    return found


def _path(start: Box, end: Box) -> str:
    """A curve from the right of one box to the left of another."""
    x1, y1 = start.x + WIDTH, start.y + HEIGHT / 2
    x2, y2 = end.x, end.y + HEIGHT / 2
    bend = max(GAP / 2, (x2 - x1) / 2)
    return f"M{x1:g} {y1:g}C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2:g} {y2:g}"
