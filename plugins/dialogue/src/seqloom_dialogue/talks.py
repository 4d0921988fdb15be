"""Conversations of our own: somebody books a table, orders a drink, or asks when a place opens.

What the system says follows from what was said before, a question back where something is missing; how the
user says it is chance.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Final, NamedTuple

from seqloom_dialogue.turns import SYSTEM, USER, Turn

COUNTS: Final = ("two", "three", "four", "five", "six", "seven", "eight")
WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
WEEKEND: Final = ("Saturday", "Sunday")
DAYS: Final = (*WEEKDAYS, *WEEKEND)
HOURS: Final = (
    *("noon", "one", "half past one", "two", "five", "half past five", "six", "half past six"),
    *("seven", "half past seven", "eight", "nine"),
)
SIZES: Final = ("small", "medium", "large")
DRINKS: Final = (
    *("coffee", "tea", "cocoa", "lemonade", "milkshake", "cider", "latte", "mocha", "smoothie", "soda"),
)
CAKES: Final = ("a muffin", "a bagel", "a brownie", "a scone", "a waffle", "a cookie", "a pretzel")
OPENING: Final[Mapping[str, tuple[str, str]]] = {  # on weekdays, and at the weekend
    "bakery": ("six", "eight"), "museum": ("ten", "eleven"), "library": ("nine", "noon"),
    "pool": ("seven", "nine"), "market": ("five", "seven"), "cinema": ("three", "one"),
    "bank": ("eight", "ten"), "zoo": ("nine", "eight"), "theatre": ("six", "four"),
    "gym": ("five", "ten"), "pharmacy": ("eight", "noon"), "gallery": ("eleven", "ten"),
}  # fmt: skip

Facts = tuple[str, ...]
"""What a conversation is about, as ``("four", "Friday", "seven")``."""


class Talk(NamedTuple):
    """A conversation.

    Attributes:
        service: ``table``, ``order`` or ``opening``.
        turns: The user's and the system's by turns, the user's first.
    """

    service: str
    turns: list[Turn]


class Split(NamedTuple):
    """For each service, what conversations may be about.

    Attributes:
        known: What those to learn from are about.
        held_out: What only those of the test are about.
    """

    known: Mapping[str, list[Facts]]
    held_out: Mapping[str, list[Facts]]


ABOUT: Final[Mapping[str, Sequence[Facts]]] = {
    "table": list(product(COUNTS, DAYS, HOURS)),
    "order": list(product(SIZES, DRINKS, CAKES)),
    "opening": list(product(OPENING, DAYS)),
}

HELD_OUT: Final = 0.1
"""Share of what there is to talk about that is kept for the test."""


def split(rng: random.Random) -> Split:
    """Draws what is kept for the test."""
    known, held_out = {}, {}
    for service, every in ABOUT.items():
        mixed = rng.sample(every, len(every))
        count = round(HELD_OUT * len(every))
        held_out[service], known[service] = mixed[:count], mixed[count:]
    return Split(known, held_out)


def talk(rng: random.Random, about: Mapping[str, Sequence[Facts]]) -> Talk:
    """A conversation about something of each service's choice."""
    service = rng.choice(list(about))
    said: list[tuple[str, str]] = []
    if rng.random() < 0.3:
        said.append((rng.choice(["Hello.", "Hi.", "Good day."]), "Hello, what can I do for you?"))
    said += _TALKS[service](rng, about[service])
    if rng.random() < 0.5:
        said.append(
            (rng.choice(["Thanks.", "Thank you, bye.", "That is all."]), "You are welcome, goodbye.")
        )
    turns = [Turn(who, text) for pair in said for who, text in zip((USER, SYSTEM), pair, strict=True)]
    return Talk(service, turns)


Exchanges = list[tuple[str, str]]


def _table(rng: random.Random, about: Sequence[Facts]) -> Exchanges:
    """A table for so many on a day at an hour; what the user leaves out is asked for, in that order."""
    count, day, hour = rng.choice(about)
    told = [rng.random() < 0.5 for _ in range(3)]
    slots = [f" for {count}", f" on {day}", f" at {hour}"]
    wish = "".join(slot for slot, is_told in zip(slots, told, strict=True) if is_told)
    line = f"{rng.choice(['I would like', 'Please book', 'I need', 'Please keep'])} a table{wish}."
    questions = (
        ("For how many?", [f"We are {count}.", f"For {count}, please.", f"{count}."]),
        ("On which day?", [f"On {day}.", f"{day}, please.", f"{day}."]),
        ("At what time?", [f"At {hour}.", f"At {hour}, please.", f"{hour}."]),
    )
    said: Exchanges = []
    for (question, answers), is_told in zip(questions, told, strict=True):
        if not is_told:
            said.append((line, question))
            line = _capital(rng.choice(answers))
    said.append((line, f"A table for {count} on {day} at {hour}, is that right?"))
    others = [facts for facts in about if facts[0] == count and facts[2] == hour and facts[1] != day]
    if others and rng.random() < 0.3:
        day = rng.choice(others)[1]
        said.append((f"No, on {day}.", f"A table for {count} on {day} at {hour}, is that right?"))
    agreed = rng.choice(["Yes.", "Yes, please.", "That is right."])
    return [*said, (agreed, f"It is booked: {day} at {hour}, for {count}.")]


def _order(rng: random.Random, about: Sequence[Facts]) -> Exchanges:
    """A drink of a size, perhaps with something to eat, here or to go."""
    size, drink, cake = rng.choice(about)
    polite = rng.choice(["{}, please.", "I would like {}.", "Can I have {}?"])
    said: Exchanges = []
    if rng.random() < 0.5:
        said.append((_capital(polite.format(f"a {drink}")), f"A small, medium or large {drink}?"))
        line = _capital(rng.choice([f"{size}.", f"{size}, please.", f"A {size} one."]))
    else:
        line = _capital(polite.format(f"a {size} {drink}"))
    order = f"a {size} {drink}"
    said.append((line, f"{_capital(order)}. Anything else?"))
    line = rng.choice(["No, thank you.", "That is it."])
    if rng.random() < 0.7:
        line = rng.choice([f"And {cake}.", f"{_capital(cake)}, too.", f"Yes, {cake}, please."])
        order += f" and {cake}"
    said.append((line, f"{_capital(order)}. Here or to go?"))
    where = rng.choice(["here", "to go"])
    line = rng.choice([f"{_capital(where)}.", f"{_capital(where)}, please."])
    return [*said, (line, f"{_capital(order)}, {where}, is on its way.")]


def _opening(rng: random.Random, about: Sequence[Facts]) -> Exchanges:
    """When a place opens on a day; then the same of another day, or of another place."""
    place, day = rng.choice(about)
    line = rng.choice([f"When does the {place} open", f"What time does the {place} open"])
    said: Exchanges = []
    if rng.random() < 0.5:
        said.append((f"{line}?", "On which day?"))
        line = rng.choice([f"On {day}.", f"{day}."])
    else:
        line += f" on {day}?"
    said.append((line, _opens(place, day)))
    others = [facts for facts in about if (facts[0] == place) != (facts[1] == day)]
    if others and rng.random() < 0.7:
        other, day = rng.choice(others)
        line = f"And on {day}?" if other == place else f"And the {other}?"
        said.append((line, _opens(other, day)))
    return said


def _opens(place: str, day: str) -> str:
    return f"The {place} opens at {OPENING[place][day in WEEKEND]} on {day}."


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


_TALKS: Final[Mapping[str, Callable[[random.Random, Sequence[Facts]], Exchanges]]] = {
    "table": _table,
    "order": _order,
    "opening": _opening,
}
