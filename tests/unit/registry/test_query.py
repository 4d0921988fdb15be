from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from seqloom.errors import UsageError
from seqloom.registry.records import Score
from seqloom.registry.store import Registry


def score(metric: str, value: float, step: int = 100) -> Score:
    return Score(metric=metric, value=value, split="valid", step=step, signature="")


@pytest.fixture(scope="module")
def filled(
    tmp_path_factory: pytest.TempPathFactory,
    new_clock: Callable[[], Callable[[], datetime]],
    facts: dict[str, Any],
) -> Iterator[Registry]:
    """Runs a, b, c start at minutes 0, 1, 2; a has ended with an error, c has no scores."""
    registry = Registry(f"sqlite:///{tmp_path_factory.mktemp('filled')}/registry.db", clock=new_clock())
    for run_id, task, seed in (
        ("a", "translation", 1),
        ("b", "Translation", 2),
        ("c", "captioning", 2**62),
    ):
        registry.start_run(**facts | {"id": run_id, "task": task, "seed": seed})
    registry.add_scores("a", [score("bleu", 35.0, step=100), score("bleu", 25.0, step=200)])
    registry.add_scores("a", [score("ppl", 4.5), score("recall@5", 0.5)])
    registry.add_scores("b", [score("bleu", -1.5, step=300), score("bleu", 99.0, step=50)])
    registry.end_run("a", "failed", "it's broken")
    for name, value in (("de-en", 30.0), ("de-en", 40.0), ("fr-en", 50.0)):
        registry.add_model(name, "translation", None, "/x", "", [score("bleu", value)])
    registry.set_alias("de-en", 1, "champion")
    registry.set_alias("de-en", 1, "old")
    yield registry
    registry.close()


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ("status = 'failed'", "a"),
        ('status="running"', "cb"),
        ("status != 'running' and task = 'translation'", "a"),
        ("status = 'running' AND seed >= 2 and seed < 3", "b"),
        ("seed = 4611686018427387904", "c"),  # 2**62: no float has it and its neighbour
        ("seed = 4611686018427387905", ""),
        ("seed > 1e10", "c"),
        ("task like '%ION'", "ba"),
        ("task like 'capt%'", "c"),
        ("bleu > 20", "a"),  # of the highest step, not the best and not the last entered
        ("bleu <= -1.5", "b"),
        ("bleu != 25", "b"),
        ("recall@5 = .5", None),
        ("recall@5 = 0.5", "a"),
        ("ppl < 5 and bleu > 20", "a"),
        ("started_at > '2026-11-21'", "cb"),
        ("started_at <= '2026-11-21T01:01+01:00'", "ba"),
        ("ended_at >= '2026-11-21 00:00'", "a"),
        ('error = "it\'s broken"', "a"),
        ("error like '%; drop table runs; --'", ""),
    ],
)
def test_runs(filled: Registry, where: str, ids: str | None) -> None:
    if ids is None:
        with pytest.raises(UsageError):
            filled.runs(where)
    else:
        assert "".join(run.id for run in filled.runs(where)) == ids


@pytest.mark.parametrize(
    ("where", "uris"),
    [
        ("name = 'de-en'", ["de-en/2", "de-en/1"]),
        ("version = 1", ["fr-en/1", "de-en/1"]),
        ("alias = 'champion'", ["de-en/1"]),
        ("alias != 'champion'", ["fr-en/1", "de-en/2"]),
        ("alias like 'CH%' and bleu >= 30", ["de-en/1"]),
        ("bleu > 30", ["fr-en/1", "de-en/2"]),
        ("created_at < '2026'", None),
        ("created_at < '2026-11-22' and task = 'translation'", ["fr-en/1", "de-en/2", "de-en/1"]),
    ],
)
def test_models(filled: Registry, where: str, uris: list[str] | None) -> None:
    if uris is None:
        with pytest.raises(UsageError):
            filled.models(where)
    else:
        assert [f"{model.name}/{model.version}" for model in filled.models(where)] == uris


def test_limit_counts_what_fits(filled: Registry) -> None:
    assert [run.id for run in filled.runs("seed < 3", limit=1)] == ["b"]


@pytest.mark.parametrize(
    ("where", "character", "message"),
    [
        ("", 1, "expected a field, found the end"),
        ("3 < bleu", 1, "expected a field, found 3"),
        ("statsu = 'failed'", 1, r"no field 'statsu'; there are: bleu, .*Did you mean 'status'\?"),
        ("seed = 1 and bleau > 3", 14, r"Did you mean 'bleu'\?"),
        ("alias = 'x'", 1, "no field 'alias'"),
        ("status 'failed'", 8, "expected one of = != < <= > >= like, found 'failed'"),
        ("status", 7, "expected one of .* found the end"),
        ("status == 'failed'", 9, "expected text in quotes to compare status with, found ="),
        ("status = failed", 10, "found failed; write 'failed'"),
        ("status = 3", 10, "found 3; write '3'"),
        ("status = 'failed", 10, "expected text in quotes to compare status with, found '"),
        ("bleu > '30'", 8, "expected a number to compare bleu with, found '30'"),
        ("bleu >", 7, "expected a number to compare bleu with, found the end"),
        ("bleu like '3%'", 6, "'like' compares text, and bleu is none"),
        ("started_at like '2026%'", 12, "'like' compares text, and started_at is none"),
        ("started_at > 'yesterday'", 14, "expected a moment like '2026-11-21'"),
        ("seed = 1 or seed = 2", 10, "expected 'and', found or"),
        ("seed = 1 and", 13, "expected a field, found the end"),
    ],
)
def test_mistakes_are_pointed_at(filled: Registry, where: str, character: int, message: str) -> None:
    with pytest.raises(UsageError, match=f"at character {character}: .*{message}") as caught:
        filled.runs(where)

    assert str(caught.value).splitlines()[1:] == [f"  {where}", " " * (character + 1) + "^"]
