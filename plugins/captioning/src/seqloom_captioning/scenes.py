"""Scenes of our own: shapes in a picture, and the one sentence that describes them."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Final, NamedTuple

from PIL import Image, ImageDraw

SIDE: Final = 48  # pixels of a picture
FINENESS: Final = 4  # times finer than it is kept is it drawn

COLOURS: Final = {
    "red": (214, 39, 40),
    "green": (44, 140, 44),
    "blue": (40, 90, 200),
    "yellow": (245, 200, 20),
    "purple": (140, 60, 170),
    "black": (25, 25, 25),
}
SHAPES: Final = ("circle", "square", "triangle", "star", "cross")
SIZES: Final = {"small": 0.12, "large": 0.2}  # half of a shape's extent, as a share of the side

PLACES: Final = {
    "at the top left": (0.25, 0.25),
    "at the top": (0.5, 0.25),
    "at the top right": (0.75, 0.25),
    "on the left": (0.25, 0.5),
    "in the middle": (0.5, 0.5),
    "on the right": (0.75, 0.5),
    "at the bottom left": (0.25, 0.75),
    "at the bottom": (0.5, 0.75),
    "at the bottom right": (0.75, 0.75),
}
"""Across and down, as shares of the side."""

RELATIONS: Final = {"left of": (-1, 0), "right of": (1, 0), "above": (0, -1), "below": (0, 1)}
"""Where the first of two things is, seen from the second."""


class Thing(NamedTuple):
    """Something in a scene."""

    size: str
    colour: str
    shape: str

    def __str__(self) -> str:
        return f"a {self.size} {self.colour} {self.shape}"


HELD_OUT: Final = frozenset(
    {
        *(Thing("small", "red", "star"), Thing("large", "black", "star")),
        *(Thing("small", "green", "circle"), Thing("large", "yellow", "circle")),
        *(Thing("small", "blue", "triangle"), Thing("large", "purple", "triangle")),
        *(Thing("small", "yellow", "square"), Thing("large", "red", "square")),
        *(Thing("small", "purple", "cross"), Thing("large", "green", "cross")),
    }
)
"""What no scene of a training has, though it has their sizes, colours and shapes, and any two of these."""


class Drawn(NamedTuple):
    """A thing and where it is: its middle and half of its extent, as shares of the side."""

    thing: Thing
    across: float
    down: float
    extent: float


class Scene(NamedTuple):
    """Things, drawn in order, and what is said of them."""

    drawn: tuple[Drawn, ...]
    caption: str

    @property
    def is_new(self) -> bool:
        """Whether it has something that no training has."""
        return any(one.thing in HELD_OUT for one in self.drawn)


# Scenes ------------------------------------------------------------------------------------------------


def scenes(rng: random.Random, *, new: bool) -> Iterator[Scene]:
    """Scenes without end, each with something held out if ``new``, else none of it."""
    while True:
        scene = (_alone if rng.random() < 0.4 else _beside)(rng)
        if scene.is_new == new:
            yield scene


def _thing(rng: random.Random) -> Thing:
    return Thing(rng.choice(list(SIZES)), rng.choice(list(COLOURS)), rng.choice(SHAPES))


def _alone(rng: random.Random) -> Scene:
    """One thing, somewhere."""
    thing = _thing(rng)
    place, (across, down) = rng.choice(list(PLACES.items()))
    at = Drawn(thing, _near(rng, across), _near(rng, down), _extent(rng, SIZES[thing.size]))
    return Scene((at,), f"{thing} {place}")


def _beside(rng: random.Random) -> Scene:
    """Two things beside each other: the larger is named first, of equals the one further left or up."""
    first, second = sorted((_thing(rng), _thing(rng)), key=lambda thing: thing.size != "large")
    several = list(RELATIONS) if first.size != second.size else ["left of", "above"]
    relation = rng.choice(several)
    across, down = RELATIONS[relation]
    drawn = tuple(
        Drawn(
            thing,
            _near(rng, 0.5 + side * 0.25 * across, 0.03 if across else 0.12),
            _near(rng, 0.5 + side * 0.25 * down, 0.03 if down else 0.12),
            _extent(rng, SIZES[thing.size]),
        )
        for side, thing in ((1, first), (-1, second))
    )
    return Scene(drawn, f"{first} {relation} {second}")


def _near(rng: random.Random, middle: float, distance: float = 0.04) -> float:
    return rng.uniform(middle - distance, middle + distance)


def _extent(rng: random.Random, usual: float) -> float:
    return usual * rng.uniform(0.93, 1.07)


# Pictures ----------------------------------------------------------------------------------------------


def draw(scene: Scene, rng: random.Random) -> Image.Image:
    """A scene on a light ground, each thing turned a little."""
    fine = SIDE * FINENESS
    picture = Image.new("RGB", (fine, fine), tuple(rng.randint(225, 255) for _ in range(3)))
    pen = ImageDraw.Draw(picture)
    for thing, across, down, extent in scene.drawn:
        turn = math.radians(rng.uniform(-10, 10))
        points = [
            (fine * (across + extent * distance * math.sin(angle + turn)),
             fine * (down - extent * distance * math.cos(angle + turn)))
            for distance, angle in _outline(thing.shape)
        ]  # fmt: skip
        pen.polygon(points, fill=COLOURS[thing.colour])
    return picture.reduce(FINENESS)


def _outline(shape: str) -> list[tuple[float, float]]:
    """A shape's corners: how far from its middle, and at which angle from the top."""
    turn = 2 * math.pi
    match shape:
        case "square":
            return [(1.15, turn * (at + 0.5) / 4) for at in range(4)]
        case "triangle":
            return [(1.2, turn * at / 3) for at in range(3)]
        case "star":
            return [(1.2 if at % 2 == 0 else 0.5, turn * at / 10) for at in range(10)]
        case "cross":
            arm = math.atan(1 / 3)  # half of an arm's width over its length
            corners = ((1.1, -arm), (1.1, arm), (0.49, turn / 8))
            return [(far, turn * at / 4 + angle) for at in range(4) for far, angle in corners]
    return [(1, turn * at / 48) for at in range(48)]
