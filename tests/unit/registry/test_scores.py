"""What scores come to is kept in step with them, and says what all of them say."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from seqloom.registry.records import Score
from seqloom.registry.store import Registry

Facts = dict[str, Any]
VALUES = (-math.inf, -1.5, 0.0, 2.0, 2.5, 1e300, math.nan)


def score(chance: random.Random) -> Score:
    return Score(
        metric=chance.choice(("bleu", "ppl")),
        value=chance.choice(VALUES),
        split=chance.choice(("valid", "test")),
        step=chance.choice((0, 100, 200)),
        signature=chance.choice(("", "13a")),
    )


def figures(scores: Iterable[Score], metric: str) -> dict[str, float | None]:
    """What a query's fields stand for, by their definition."""
    own = [one for one in scores if one.metric == metric]
    numbers = [one.value for one in own if not math.isnan(one.value)]
    found = {f"max({metric})": max(numbers, default=None), f"min({metric})": min(numbers, default=None)}
    if own:
        last = max(one.step for one in own)
        found[metric] = found[f"at({metric}, {last})"] = [one for one in own if one.step == last][-1].value
    return {name: None if value is None or math.isnan(value) else value for name, value in found.items()}


def check(registry: Registry, owner: str, scores: Iterable[Score]) -> None:
    """Raises where a field is not what the scores say; ``owner`` alone fits it, for runs or models."""
    ask = registry.runs if owner.startswith("id") else registry.models
    for metric in {one.metric for one in scores}:
        for field, value in figures(scores, metric).items():
            if value is None:
                assert len(ask(f"{owner} and {field} is null")) == 1
            elif math.isinf(value):
                assert len(ask(f"{owner} and {field} < -1e300")) == 1
            else:
                assert len(ask(f"{owner} and {field} = {value!r}")) == 1


@pytest.mark.parametrize("seed", range(2))
def test_what_scores_come_to(registry: Registry, facts: Facts, seed: int) -> None:
    chance = random.Random(seed)
    ids = [registry.start_run(**facts).id for _ in range(2)]
    for _ in range(8):
        run_id = chance.choice(ids)
        registry.add_scores(run_id, [score(chance) for _ in range(chance.randrange(4))])
        for each in ids:
            check(registry, f"id = '{each}'", registry.run(each).scores)
    registry.add_model("a", "t", ids[0], "/x", "", registry.run(ids[0]).scores)
    registry.add_model("b", "t", ids[1], "/x", "", registry.run(ids[1]).scores[:2])
    for name in ("a", "b"):
        check(registry, f"name = '{name}'", registry.model(name).scores)


def test_a_value_that_was_entered_anew_counts_no_more(registry: Registry, facts: Facts) -> None:
    run = registry.start_run(**facts)
    first = [Score(metric="bleu", value=value, split="v", step=value, signature="") for value in (90, 40)]
    registry.add_scores(run.id, first)
    assert [one.id for one in registry.runs("max(bleu) = 90 and bleu = 90 and min(bleu) = 40")] == [run.id]

    registry.add_scores(run.id, [replace(first[0], value=30.0)])

    assert registry.runs("max(bleu) = 40 and bleu = 30 and min(bleu) = 30") == [registry.run(run.id)]
    assert len(registry.run(run.id).scores) == 2


def test_thousands_of_scores_at_once(registry: Registry, facts: Facts) -> None:
    run = registry.start_run(**facts)
    many = [Score(metric="ppl", value=-float(n), split="v", step=n, signature="") for n in range(3000)]

    registry.add_scores(run.id, many)
    registry.add_scores(run.id, many[::2])

    found = registry.run(run.id).scores
    assert len(found) == len(set(found)) == len(many)
    assert set(found) == set(many)
    assert [one.id for one in registry.runs("min(ppl) = -2999 and max(ppl) = 0 and ppl < 0")] == [run.id]


def test_scores_of_more_runs_than_a_statement_takes(
    registry: Registry, facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqloom.registry.scores.AT_ONCE", 2)
    for number in range(5):
        run = registry.start_run(**facts)
        registry.add_scores(run.id, [Score(metric="a", value=number, split="", step=0, signature="")])

    found = registry.runs()

    assert [[one.value for one in run.scores] for run in found] == [[number] for number in range(4, -1, -1)]
