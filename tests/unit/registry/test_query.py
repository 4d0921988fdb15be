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
    new_url: Callable[[], str],
    new_clock: Callable[[], Callable[[], datetime]],
    facts: dict[str, Any],
) -> Iterator[Registry]:
    """Runs a, b, c start at minutes 0, 1, 2; a has ended with an error, c has no scores."""
    registry = Registry(new_url(), clock=new_clock())
    for run_id, task, seed in (
        ("a", "translation", 1),
        ("b", "Translation", 2),
        ("c", "captioning", 2**62),
    ):
        train = {"steps": "8000"} if run_id == "c" else dict(facts["config"]["train"])
        train |= {"compile": True} if run_id == "a" else {}
        config = facts["config"] | {"train": train}
        registry.start_run(**facts | {"id": run_id, "task": task, "seed": seed, "config": config})
    registry.add_scores("a", [score("bleu", 35.0, step=100), score("bleu", 25.0, step=200)])
    registry.add_scores("a", [score("ppl", 4.5), score("recall@5", 0.5)])
    registry.add_scores("b", [score("bleu", -1.5, step=300), score("bleu", 99.0, step=50)])
    registry.end_run("a", "failed", "it's broken")
    registry.tag_run("a", {"team": "a"})
    registry.tag_run("b", {"team": "c", "lang": "de"})
    for name, value in (("de-en", 30.0), ("de-en", 40.0), ("fr-en", 50.0)):
        registry.add_model(name, "translation", None, "/x", "", [score("bleu", value)])
    registry.set_alias("de-en", 1, "champion")
    registry.set_alias("de-en", 1, "old")
    registry.add_model("of-b", "captioning", "b", "/x", "", [])
    registry.set_alias("of-b", 1, "champion")
    registry.tag_model("de-en/2", {"team": "a"})
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
        ("bleu != 25", "cb"),  # what is not there is no 25
        ("recall@5 = .5", None),
        ("recall@5 = 0.5", "a"),
        ("ppl < 5 and bleu > 20", "a"),
        ("started_at > '2026-11-21'", "cb"),
        ("started_at <= '2026-11-21T01:01+01:00'", "ba"),
        ("ended_at >= '2026-11-21 00:00'", "a"),
        ('error = "it\'s broken"', "a"),
        ("error like '%; drop table runs; --'", ""),
        ("error = 'it''s broken'", "a"),
        ("bleu > 20 or task = 'captioning'", "ca"),
        ("task = 'translation' or bleu < 0 and ppl < 9", "a"),  # `and` binds more tightly
        ("(task = 'captioning' or bleu < 0) and seed > 1", "cb"),
        ("not bleu > 20", "cb"),
        ("not (bleu > 20 or seed = 2)", "c"),
        ("bleu in (25, 99)", "a"),
        ("bleu not in (25, 99)", "cb"),
        ("task not like '%ion'", "c"),
        ("bleu is null", "c"),
        ("error is not null", "a"),
        ("max(bleu) >= 35", "ba"),
        ("best(bleu) >= 35 order by best(bleu)", "ab"),
        ("best(ppl) = 4.5", "a"),
        ("min(bleu) = 25", "a"),
        ("at(bleu, 100) = 35", "a"),
        ("latest(bleu) = 25", "a"),
        ("`recall@5` > 0", "a"),
        ("created < '2026-11-21 00:01'", "a"),
        ("started_at in ('2026-11-21', '2026-11-21 00:01')", "ba"),
        ("alias = 'champion'", "b"),
        ("alias is null", "ca"),
        ("config.train.steps = 8000", "ba"),
        ("config.train.steps > 8000", ""),
        ("config.train.steps = '8000'", "c"),  # a text, there
        ("config.train.steps in (8000, '8000')", "cba"),
        ("config.train.betas.1 < 0.99", "ba"),
        ("config.train.compile = true", "a"),
        ("config.train.compile != true", "cb"),
        ("config.train.compile is null", "cb"),
        ("config.train like '%'", ""),  # a section is no text
        ("config.umlaut = 'ä'", "cba"),
        ("tag.team in ('a', 'b')", "a"),
        ("not tag.team in ('a', 'b')", "cb"),
        ("tag.lang is null order by tag.team", "ac"),
        ("tag.nobody = 'x'", ""),
        ("order by seed", "abc"),
        ("order by bleu desc", "abc"),  # what has none comes last
        ("order by bleu", "bac"),
        ("order by config.train.steps desc, seed desc", "bac"),
        ("seed > 0 order by task limit 1", "b"),
        ("limit 2", "cb"),
        ("limit 0", ""),
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
        ("version = 1", ["of-b/1", "fr-en/1", "de-en/1"]),
        ("alias = 'champion'", ["of-b/1", "de-en/1"]),
        ("alias != 'champion'", ["fr-en/1", "de-en/2"]),
        ("alias not in ('old', 'x')", ["of-b/1", "fr-en/1", "de-en/2"]),
        ("alias is not null and not name = 'of-b'", ["de-en/1"]),
        ("config.train.steps = 8000", ["of-b/1"]),  # of the run that made it
        ("config.train.steps is null", ["fr-en/1", "de-en/2", "de-en/1"]),
        ("tag.team = 'a'", ["de-en/2"]),
        ("name like '%-en' order by bleu desc limit 2", ["fr-en/1", "de-en/2"]),
        ("order by name, version desc", ["de-en/2", "de-en/1", "fr-en/1", "of-b/1"]),
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
    assert [run.id for run in filled.runs("limit 3", limit=1)] == ["c"]
    assert [run.id for run in filled.runs("limit 1", limit=3)] == ["c"]


@pytest.mark.parametrize(
    "where", [None, "order by bleu", "order by config.train.steps desc, seed", "order by error"]
)
def test_pages_follow_each_other(filled: Registry, where: str | None) -> None:
    whole, last = [run.id for run in filled.runs(where)], None
    for wanted in whole:
        (last,) = (run.id for run in filled.runs(where, 1, after=last))
        assert last == wanted
    assert filled.runs(where, after=last) == []
    models = filled.models("order by bleu desc")
    assert filled.models("order by bleu desc", after=models[1].uri) == models[2:]


@pytest.mark.parametrize(
    ("where", "character", "message"),
    [
        ("", 1, "expected a field, found the end"),
        ("3 < bleu", 1, "expected a field, found 3"),
        (
            "statsu = 'failed'",
            1,
            r"no field 'statsu'; there are: alias, artefact, bleu, .*Did you mean 'status'\?",
        ),
        ("seed = 1 and bleau > 3", 14, r"Did you mean 'bleu'\?"),
        ("version = 1", 1, "no field 'version'"),
        ("status 'failed'", 8, "expected one of = != < <= > >= like in is, found 'failed'"),
        ("status", 7, "expected one of .* found the end"),
        ("status == 'failed'", 9, "expected a value: text in quotes, a number, true or false, found ="),
        ("status = failed", 10, "found failed; write 'failed'"),
        ("status = 3", 10, "found 3; write '3'"),
        ("status = 'failed", 10, "expected a value: .*, found '"),
        ("bleu > '30'", 8, "expected a number to compare bleu with, found '30'"),
        ("bleu >", 7, "expected a value: .*, found the end"),
        ("bleu like '3%'", 6, "'like' compares text, and bleu is none"),
        ("started_at like '2026%'", 12, "'like' compares text, and started_at is none"),
        ("started_at > 'yesterday'", 14, "expected a moment like '2026-11-21'"),
        ("seed = 1 nor seed = 2", 10, "expected 'and', 'or', 'order by' or 'limit', found nor"),
        ("seed in 1", 9, r"expected '\(', found 1"),
        ("seed in (1", 11, "expected ',', found the end"),
        ("(seed = 1", 10, r"expected '\)', found the end"),
        ("error is 3", 10, "expected 'null' or 'not null', found 3"),
        ("seed not 3", 10, "expected 'like' or 'in', found 3"),
        ("seed = true", 8, "expected a number to compare seed with, found true"),
        ("order seed", 7, "expected 'by', found seed"),
        ("order by alias", 10, "nothing is sorted by alias: a row may have several"),
        ("limit 1.5", 8, "expected the end, found ."),
        ("limit -1", 7, "expected a whole number, found -"),
        ("max(status) > 1", 5, "no score 'status'; there are: bleu, ppl, recall@5"),
        ("at(bleu, x) > 1", 10, "expected a whole number, found x"),
        (
            "config.train.stepps = 1",
            1,
            r"no run's .*'config.train.stepps'. Did you mean 'config.train.steps'",
        ),
        ("config.umlaut like 3", 20, "'like' needs text in quotes"),
        ("config.train.steps > true", 20, "true and false are neither above nor below"),
        ("best(`recall@5`) > 1", 6, "no installed plugin says which way recall@5 is better; write max"),
        ("best(blue) > 1", 6, "no score 'blue'"),
        ("not " * 21 + "seed = 1", 1, "lie within each other more than 20 deep"),
        ("seed = 1 and", 13, "expected a field, found the end"),
    ],
)
def test_mistakes_are_pointed_at(filled: Registry, where: str, character: int, message: str) -> None:
    with pytest.raises(UsageError, match=f"at character {character}: .*{message}") as caught:
        filled.runs(where)

    assert str(caught.value).splitlines()[1:] == [f"  {where}", " " * (character + 1) + "^"]


def test_which_way_is_better_may_be_told(url: str, facts: dict[str, Any]) -> None:
    with Registry(url, higher_is_better={"bleu": False}) as registry:
        run = registry.start_run(**facts)
        registry.add_scores(
            run.id, [score("speaker=ann/bleu", 1.0, step=1), score("speaker=ann/bleu", 2.0)]
        )
        assert registry.runs("best(`speaker=ann/bleu`) = 1")
        assert not registry.runs("best(`speaker=ann/bleu`) = 2")
