"""Reports of our own: what happened in a town, among things that are always so or were long ago."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

FIRST: Final = [
    "Ada",
    "Bram",
    "Clea",
    "Dirk",
    "Edda",
    "Finn",
    "Greta",
    "Hugo",
    "Ines",
    "Jon",
    "Kaja",
    "Leo",
]
BEGINNINGS: Final = [
    *("Ar", "Bel", "Cor", "Dan", "El", "Fen", "Gar", "Hol", "Ing", "Jar", "Kel", "Lor"),
    *("Mar", "Nor", "Ol", "Per", "Ros", "Sal", "Tor", "Ul", "Ver", "Wil", "Yar", "Zan"),
]
MIDDLES: Final = ["a", "e", "i", "o", "an", "en", "ar", "el", "in"]
TOWN_ENDS: Final = ["by", "dale", "ford", "ham", "mere", "stead", "ton", "wick"]
NAME_ENDS: Final = ["bert", "der", "kin", "ley", "man", "now", "sen", "vik"]
DAYS: Final = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
BUILDINGS: Final = [
    *("school", "library", "mill", "museum", "town hall", "bakery", "theatre", "station", "hospital"),
    *("brewery", "swimming pool", "cinema", "market hall", "old bridge", "post office", "boathouse"),
]
THINGS: Final = [
    *("a silver bell", "a stone lion", "a box of coins", "a map", "a bronze sword", "an iron ring"),
    *("a painting", "a golden cup", "a clock", "a violin", "a glass crown", "an old letter"),
]
PRIZES: Final = ["a chess cup", "a baking prize", "a medal for courage", "a song contest", "a poetry prize"]
WORKERS: Final = ["bus drivers", "nurses", "teachers", "bakers", "ferrymen", "gardeners", "printers"]
TRADES: Final = ["a baker", "a teacher", "a doctor", "a farmer", "a watchmaker", "a fisher", "a singer"]

NEWS: Final = [
    ("On {day} a fire destroyed the {building} of {town}.", "Fire destroys {building} in {town}"),
    ("Since {day} the {building} of {town} has been under water.", "Flood closes {building} in {town}"),
    ("Voters in {town} chose {person} as their new mayor on {day}.", "{person} elected mayor of {town}"),
    ("On {day} {person} of {town} was awarded {prize}.", "{person} wins {prize}"),
    ("The new {building} of {town} opened its doors on {day}.", "New {building} opens in {town}"),
    (
        "The council of {town} said on {day} that it would close the {building}.",
        "{town} to close {building}",
    ),
    ("Children who were digging near {town} came upon {thing} on {day}.", "{thing} found near {town}"),
    ("On {day} thieves broke into the {building} of {town} and took {thing}.", "{thing} stolen in {town}"),
    ("The {workers} of {town} stopped work on {day}.", "{workers} of {town} on strike"),
    ("On {day} {person} was rescued from the {building} of {town}.", "{person} rescued from {building}"),
]
"""What may have happened, and the headline that it makes."""

ELSE: Final = [
    "{town} lies on the river {river} and has {number} inhabitants.",
    "Market day in {town} is {day}.",
    "{person}, {trade} from {town}, has seen many such days.",
    "In {year} a fire destroyed the {building} of {town}.",
    "In {year} {person} was elected mayor of {town}.",
    "The {building} of {town} was built in {year}.",
    "{person} found {thing} there in {year}.",
    "{person}, {trade}, learned of it from the {workers}.",
    "Nobody was hurt.",
    "More will be known on {day}.",
]
"""What else such a report says."""


class Report(NamedTuple):
    """A text, and what its headline says."""

    text: str
    headline: str


class Names(NamedTuple):
    """What towns and people are called."""

    towns: Sequence[str]
    families: Sequence[str]


def names(rng: random.Random, unseen: float) -> tuple[Names, Names]:
    """All names there are, parted in two.

    Args:
        rng: Says which goes where.
        unseen: Share of the second part, for reports of towns and people that no other report knows.
    """
    parted: list[tuple[list[str], list[str]]] = []
    for ends in (TOWN_ENDS, NAME_ENDS):
        made = [begin + middle + end for begin in BEGINNINGS for middle in MIDDLES for end in ends]
        rng.shuffle(made)
        kept = round(len(made) * (1 - unseen))
        parted.append((made[:kept], made[kept:]))
    (towns, new_towns), (families, new_families) = parted
    return Names(towns, families), Names(new_towns, new_families)


def reports(rng: random.Random, known: Names) -> Iterator[Report]:
    """Reports without end, of towns and people of these names: four sentences, one of which is news."""
    while True:
        town, person = rng.choice(known.towns), _person(rng, known)
        event, headline = rng.choice(NEWS)
        facts = _facts(rng, town, person)
        said = [event.format_map(facts)]
        for other in rng.sample(ELSE, 3):
            place = rng.choice([town, rng.choice(known.towns)])
            said.append(other.format_map(_facts(rng, place, _person(rng, known))))
        rng.shuffle(said)
        title = headline.format_map(facts)
        yield Report(" ".join(map(_capital, said)), _capital(title))


def _person(rng: random.Random, known: Names) -> str:
    return f"{rng.choice(FIRST)} {rng.choice(known.families)}"


def _facts(rng: random.Random, town: str, person: str) -> dict[str, str]:
    """What the blanks of a sentence may be filled with."""
    return {
        "town": town,
        "person": person,
        "day": rng.choice(DAYS),
        "building": rng.choice(BUILDINGS),
        "thing": rng.choice(THINGS),
        "prize": rng.choice(PRIZES),
        "workers": rng.choice(WORKERS),
        "trade": rng.choice(TRADES),
        "river": rng.choice(BEGINNINGS) + rng.choice(MIDDLES),
        "number": f"{rng.randint(2, 90)},{rng.randint(0, 9)}00",
        "year": str(rng.randint(1850, 2015)),
    }


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
