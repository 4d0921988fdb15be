"""A query about a configuration finds what is in it, however it is nested."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from seqloom.errors import UsageError
from seqloom.registry.store import Registry

Facts = dict[str, Any]
CONFIG = {
    "name": "de-en",
    "seed": 2**62,
    "train": {"steps": 8000, "betas": (0.9, 0.98), "compile": False, "ema": None, "decay": 1e-09},
    "metrics": [{"name": "bleu", "of": [1, [2, "x"]]}, {"name": "chrf"}],
    "empty": {"list": [], "none": {}},
    "odd": {"a.b": 1, "7": 1, "ä ö": "ß'\"\\", "a": {"c": 1}},
}


@pytest.fixture(scope="module")
def filled(new_clock: Callable[[], Callable[[], datetime]], facts: Facts) -> Iterator[Registry]:
    registry = Registry("sqlite://", clock=new_clock())
    registry.start_run(**facts | {"id": "a", "config": CONFIG})
    other = {"train": {"steps": "8000", "compile": True, "ema": 1}, "name": "De-En", "metrics": []}
    registry.start_run(**facts | {"id": "b", "config": other})
    registry.start_run(**facts | {"id": "c", "config": {}})
    registry.add_model("of-a", "t", "a", "/x", "", [])
    registry.add_model("of-none", "t", None, "/x", "", [])
    yield registry
    registry.close()


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ("config.name = 'de-en'", "a"),
        ("config.name like 'DE%'", "ba"),
        ("config.name != 'de-en'", "cb"),
        ("config.name in ('De-En', 'x', 1)", "b"),
        ("config.seed = 4611686018427387904", "a"),
        ("config.seed = 4611686018427387905", ""),
        ("config.train.steps = 8000", "a"),
        ("config.train.steps = '8000'", "b"),
        ("config.train.steps > 7999.5", "a"),
        ("config.train.decay < 1e-8", "a"),
        ("config.train.compile = true", "b"),
        ("not config.train.compile = false", "cb"),
        ("config.train.betas.1 = 0.98", "a"),
        ("config.train.ema is null", "ca"),
        ("config.train.ema is not null and config.train.steps is not null", "b"),
        ("config.train is null", "c"),
        ("config.train = 1", ""),
        ("config.metrics.0.name = 'bleu' and config.metrics.1.name = 'chrf'", "a"),
        ("config.metrics.0.of.1.1 = 'x'", "a"),
        ("config.metrics is null", "c"),
        ("config.empty.list is null", "cb"),
        ("`config.odd.ä ö` like 'ß%'", "a"),
        ("config.odd.a.c = 1", "a"),
    ],
)
def test_configurations(filled: Registry, where: str, ids: str) -> None:
    assert [run.id for run in filled.runs(where)] == list(ids)


def test_configuration_of_the_run_that_made_a_model(filled: Registry) -> None:
    assert [model.name for model in filled.models("config.train.steps = 8000")] == ["of-a"]
    assert [model.name for model in filled.models("not config.train.steps = 8000")] == ["of-none"]


@pytest.mark.parametrize("key", ["odd.a.b", "odd.7", "train.step", "metrics.2.name"])
def test_a_key_that_no_run_has(filled: Registry, key: str) -> None:
    with pytest.raises(UsageError, match=f"no run's configuration has 'config.{key}'"):
        filled.runs(f"config.{key} = 1")
