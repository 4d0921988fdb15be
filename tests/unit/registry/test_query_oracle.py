"""Random queries find what plain Python finds."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from seqloom.registry.records import DataFile, Run, Score
from seqloom.registry.store import Registry

RUNS = 40
DAY = datetime(2026, 11, 21, tzinfo=UTC)
TEXTS = ("translation", "Speech", "speech", "a%b", "a_b", "a\\b", "a-b", "it's", "ä", "Ä", "z", "")
SEEDS = (0, 1, 2, 3, 2**53, 2**53 + 1, 2**62)
LIMITS = (1, 2.5, 0.1, 2**53, 2**53 + 1, "1", "ab", "Z", "ä", True, [1])
NUMBERS = (-1, 0, 1, 2, 2.5, 1e3, 1e30, -1e30, 2**53 + 1, float(2**53), 2**62)
Look = Callable[[Run], Any]
Fits = Callable[[Run], bool]


class Asked(NamedTuple):
    """A condition as it is written, and what it means."""

    text: str
    fits: Fits


def scores_of(run: Run, metric: str) -> list[Score]:
    return sorted((one for one in run.scores if one.metric == metric), key=lambda one: one.step)


def latest(run: Run) -> float | None:
    found = scores_of(run, "bleu")
    return found[-1].value if found else None


def most(run: Run) -> float | None:
    return max((one.value for one in scores_of(run, "bleu")), default=None)


def least_ppl(run: Run) -> float | None:
    return min((one.value for one in scores_of(run, "ppl")), default=None)


def at_200(run: Run) -> float | None:
    return next((one.value for one in scores_of(run, "bleu") if one.step == 200), None)


def configured(run: Run) -> Any:
    return run.config["train"].get("limit")


TEXT_FIELDS: dict[str, Look] = {
    "task": lambda run: run.task,
    "error": lambda run: run.error,
    "git.commit": lambda run: run.git.get("commit"),
    "environment.host": lambda run: run.environment.get("host"),
    "tag.team": lambda run: run.tags.get("team"),
    "note": lambda run: tuple(note.text for note in run.notes),
    "data": lambda run: tuple(file.path for file in run.data),
    "data_sha256": lambda run: tuple(file.sha256 for file in run.data),
}
"""Of the last three a run may have several: one that fits is enough."""
NUMBER_FIELDS: dict[str, Look] = {
    "seed": lambda run: run.seed,
    "bleu": latest,
    "`bleu`": latest,
    "max(bleu)": most,
    "best(bleu)": most,
    "best(ppl)": least_ppl,
    "min(ppl)": least_ppl,
    "at(bleu, 200)": at_200,
}
CONFIG_FIELD = "config.train.limit"
MOMENTS: dict[str, Look] = {
    "created": lambda run: run.started_at,
    "ended_at": lambda run: run.ended_at,
    "deleted_at": lambda run: run.deleted_at,
}
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def quoted(chance: random.Random, text: str) -> str:
    quote = chance.choice("'\"")
    return quote + text.replace(quote, 2 * quote) + quote


def is_like(text: str, pattern: str) -> bool:
    wanted = "".join({"%": ".*", "_": "."}.get(sign, re.escape(sign)) for sign in pattern)
    return re.fullmatch(wanted, text, re.IGNORECASE | re.DOTALL | re.ASCII) is not None


def values_of(found: Any) -> tuple[Any, ...]:
    """What a field holds: one value, several or none."""
    if isinstance(found, tuple):
        return found
    return () if found is None else (found,)


def is_of(value: Any, kind: type) -> bool:
    """A configuration's value counts only beside values of its type."""
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, kind)


def comparison(chance: random.Random) -> Asked:
    kind = chance.choice(("text", "number", "config", "moment", "missing"))
    if kind == "missing":
        fields = {**TEXT_FIELDS, **NUMBER_FIELDS, **MOMENTS, CONFIG_FIELD: configured}
        name, look = chance.choice(sorted(fields.items()))
        if chance.random() < 0.5:
            return Asked(f"{name} is null", lambda run: not values_of(look(run)))
        return Asked(f"{name} is not null", lambda run: bool(values_of(look(run))))
    if kind == "moment":
        name, look = chance.choice(sorted(MOMENTS.items()))
        moment = DAY + timedelta(minutes=chance.randrange(-2, RUNS + 2))
        values = [(f"'{moment:%Y-%m-%d %H:%M}'", moment, datetime)]
    elif kind == "text":
        name, look = chance.choice(sorted(TEXT_FIELDS.items()))
        values = [(quoted(chance, text), text, str) for text in chance.choices(TEXTS, k=3)]
    elif kind == "number":
        name, look = chance.choice(sorted(NUMBER_FIELDS.items()))
        values = [(str(number), number, float) for number in chance.choices(NUMBERS, k=3)]
    else:
        name, look = CONFIG_FIELD, configured
        values = chance.choices(
            [
                ("1", 1, float),
                ("2.5", 2.5, float),
                ("0.1", 0.1, float),
                ("9007199254740993", 2**53 + 1, float),
                ("'1'", "1", str),
                ("'a'", "a", str),
                ("'ab'", "ab", str),
                ("true", True, bool),
            ],
            k=3,
        )
    return against(chance, name, look, values)


def against(chance: random.Random, name: str, look: Look, values: list[tuple[str, Any, type]]) -> Asked:
    """A field beside values, in one of the ways that fit them."""

    def compared(run: Run, symbol: str, value: Any, kind: type) -> bool:
        return any(is_of(found, kind) and COMPARE[symbol](found, value) for found in values_of(look(run)))

    written, value, kind = values[0]
    way = chance.choice(("symbol", "symbol", "differs", "in", "like"))
    if way == "in":
        isin: Fits = lambda run: any(compared(run, "=", one, of) for _, one, of in values)  # noqa: E731
        listed = ", ".join(one for one, _, _ in values)
        if chance.random() < 0.5:
            return Asked(f"{name} in ({listed})", isin)
        return Asked(f"{name} NOT IN ({listed})", lambda run: not isin(run))
    if way == "like" and kind is str:
        pattern = chance.choice(("%a%", "tr%", "a_b", "%", "S%H", "_", "%\\%", "a\\_", "Ä"))
        return Asked(
            f"{name} like '{pattern}'",
            lambda run: any(isinstance(one, str) and is_like(one, pattern) for one in values_of(look(run))),
        )
    if way == "differs":
        return Asked(f"{name} != {written}", lambda run: not compared(run, "=", value, kind))
    symbol = "=" if kind is bool else chance.choice(sorted(COMPARE))
    return Asked(f"{name}{symbol}{written}", lambda run: compared(run, symbol, value, kind))


def condition(chance: random.Random, depth: int = 0) -> Asked:
    way = chance.choice(("one", "and", "or", "not")) if depth < 4 else "one"
    if way == "one":
        return comparison(chance)
    one = condition(chance, depth + 1)
    if way == "not":
        return Asked(f"not ({one.text})", lambda run: not one.fits(run))
    other = condition(chance, depth + 1)
    word = chance.choice((way, way.upper()))
    text = f"({one.text}) {word}\n ({other.text})"
    if way == "and":
        return Asked(text, lambda run: one.fits(run) and other.fits(run))
    return Asked(text, lambda run: one.fits(run) or other.fits(run))


def number_at(run: Run) -> Any:
    return configured(run) if is_of(configured(run), float) else None


def text_at(run: Run) -> Any:
    return configured(run) if isinstance(configured(run), str) else None


ORDERS: dict[str, list[Look]] = {
    "seed": [NUMBER_FIELDS["seed"]],
    "bleu": [latest],
    "created": [MOMENTS["created"]],
    "task": [TEXT_FIELDS["task"]],
    "error": [TEXT_FIELDS["error"]],
    CONFIG_FIELD: [number_at, text_at],
}


def ordered(chance: random.Random, runs: list[Run]) -> tuple[str, list[Run]]:
    """An order and a limit, and the runs so, of which the newest come first."""
    name, looks = chance.choice(sorted(ORDERS.items()))
    descending = chance.random() < 0.5
    found = runs
    for look in reversed(looks):  # equal ones keep their order, the newest first
        there = [run for run in found if look(run) is not None]
        found = sorted(there, key=look, reverse=descending) + [run for run in found if look(run) is None]
    limit = chance.randrange(RUNS)
    return f"order by {name}{' desc' if descending else ''} limit {limit}", found[:limit]


def some(chance: random.Random, key: str) -> dict[str, str]:
    """A text at a key, or none."""
    return {key: chance.choice(TEXTS)} if chance.random() < 0.7 else {}


@pytest.fixture(scope="module")
def registry(
    new_url: Callable[[], str],
    new_clock: Callable[[], Callable[[], datetime]],
    facts: dict[str, Any],
) -> Iterator[Registry]:
    chance = random.Random(7)
    with Registry(new_url(), clock=new_clock()) as opened:
        for number in range(RUNS):
            limit = chance.choice([{}, {"limit": None}, *({"limit": one} for one in LIMITS)])
            told = {"id": f"r{number:02}", "seed": chance.choice(SEEDS), "task": chance.choice(TEXTS)}
            told |= {
                "config": {"train": limit},
                "git": some(chance, "commit"),
                "environment": some(chance, "host"),
            }
            paths = chance.sample(TEXTS, chance.randrange(3))
            data = [DataFile(path=path, sha256=chance.choice(TEXTS), split="train") for path in paths]
            run = opened.start_run(**facts | told | {"data": data})
            opened.tag_run(run.id, some(chance, "team"))
            for text in chance.sample(TEXTS[:-1], chance.randrange(3)):
                opened.note_run(run.id, text)
            for metric in ("bleu", "ppl"):
                for step in chance.sample((100, 200, 300), chance.randrange(4)):
                    value = chance.choice((-1.0, 0.0, 1.0, 2.5))
                    score = Score(metric=metric, value=value, split="v", step=step, signature="")
                    opened.add_scores(run.id, [score])
            if chance.random() < 0.5:
                opened.end_run(run.id, "failed", chance.choice((None, *TEXTS)))
            if chance.random() < 0.3:
                opened.delete_run(run.id)
        yield opened


def agree(registry: Registry, queries: int, seed: int) -> None:
    runs, chance = registry.runs(deleted=True), random.Random(seed)
    for _ in range(queries):
        asked = condition(chance)
        order, found = ordered(chance, [run for run in runs if asked.fits(run)])
        text = f"{asked.text} {order}"
        assert [run.id for run in registry.runs(text, deleted=True)] == [run.id for run in found], text


def test_random_queries_find_what_python_finds(registry: Registry) -> None:
    agree(registry, 100, seed=1)


@pytest.mark.faults
def test_twenty_thousand_queries_find_what_python_finds(registry: Registry) -> None:
    agree(registry, 20_000, seed=2)
