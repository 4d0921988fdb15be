from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from seqloom.errors import ConfigError
from seqloom.registry.records import Model, Score
from seqloom.registry.runs import new_run_id
from seqloom.registry.store import Registry

Facts = dict[str, Any]


def score(metric: str = "bleu", value: float = 31.5, step: int = 500, split: str = "valid") -> Score:
    return Score(metric=metric, value=value, split=split, step=step, signature="nrefs:1")


def add(registry: Registry, name: str = "de-en", run_id: str | None = None) -> Model:
    return registry.add_model(name, "translation", run_id, "/models/x", "c0ffee", [score()])


# Runs --------------------------------------------------------------------------------------------------


def test_run_comes_back_as_it_went_in(registry: Registry, facts: Facts) -> None:
    started = registry.start_run(**facts, id="mine", folder="/runs/mine", model="models:/x/1")

    run = registry.run("mine")

    assert run == started
    assert {name: getattr(run, name) for name in facts} == facts
    assert (run.status, run.folder, run.model) == ("running", "/runs/mine", "models:/x/1")
    assert run.started_at == datetime(2026, 11, 21, tzinfo=UTC)
    assert run.started_at.tzinfo is UTC
    assert (run.ended_at, run.error, run.scores) == (None, None, ())


def test_scores_come_back_with_their_parts(registry: Registry, facts: Facts) -> None:
    parts = {"words": 10**12, "substitutions": 0, "deletions": 3}
    whole = dataclasses.replace(score("wer"), parts=parts)
    run = registry.start_run(**facts)
    registry.add_scores(run.id, [whole, score()])
    assert registry.run(run.id).scores == (whole, score())
    assert list(registry.run(run.id).scores[0].parts.items()) == list(parts.items())
    assert registry.add_model("a", "t", run.id, "/models/x", "c0ffee", [whole]).scores == (whole,)


def test_any_mapping_is_a_config(registry: Registry, facts: Facts) -> None:
    config = MappingProxyType({"model": MappingProxyType({"width": 256})})

    assert registry.start_run(**facts | {"config": config}).config == {"model": {"width": 256}}


def test_moments_of_any_zone_come_back_as_utc(url: str, facts: Facts) -> None:
    zone = timezone(timedelta(hours=2))
    with Registry(url, clock=lambda: datetime(2026, 11, 21, 1, 30, 0, 7, tzinfo=zone)) as registry:
        run = registry.start_run(**facts)

    assert run.started_at.isoformat() == "2026-11-20T23:30:00.000007+00:00"
    assert run.id.startswith("20261120-233000-")


def test_records_are_frozen(registry: Registry, facts: Facts) -> None:
    run = registry.start_run(**facts)
    model = add(registry)

    for record, name in ((run, "status"), (model, "version"), (model.scores[0], "value")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(record, name, None)


def test_new_ids_sort_by_time_and_differ() -> None:
    now = datetime(2026, 11, 21, 13, 15, 2, tzinfo=UTC)
    ids = {new_run_id(now) for _ in range(100)}

    assert len(ids) == 100
    assert all(run_id.startswith("20261121-131502-") for run_id in ids)
    assert max(ids) < new_run_id(now + timedelta(seconds=1))
    assert new_run_id() > new_run_id(now - timedelta(days=10_000))


def test_id_is_taken_once(registry: Registry, facts: Facts) -> None:
    registry.start_run(**facts, id="mine")

    with pytest.raises(ConfigError, match="there is a run 'mine' already"):
        registry.start_run(**facts, id="mine")


def test_run_ends_and_goes_on(registry: Registry, facts: Facts) -> None:
    run = registry.start_run(**facts)

    failed = registry.end_run(run.id, "failed", "DataError: x.de:3: empty line")
    assert (failed.status, failed.error) == ("failed", "DataError: x.de:3: empty line")
    assert failed.ended_at == run.started_at + timedelta(minutes=1)

    again = registry.reopen_run(run.id)
    assert again == registry.run(run.id) == run

    assert registry.end_run(run.id, "finished").error is None


def test_scores_keep_their_order_and_give_way(registry: Registry, facts: Facts) -> None:
    run = registry.start_run(**facts)

    registry.add_scores(run.id, [score(value=10.0, step=500), score("ppl", 9.0, step=500)])
    registry.add_scores(run.id, [score(value=20.0, step=1000), score(value=5.0, step=500, split="test")])
    registry.add_scores(run.id, [score(value=11.0, step=500)])

    assert [(s.metric, s.value, s.split, s.step) for s in registry.run(run.id).scores] == [
        ("ppl", 9.0, "valid", 500),
        ("bleu", 20.0, "valid", 1000),
        ("bleu", 5.0, "test", 500),
        ("bleu", 11.0, "valid", 500),
    ]


def test_scores_may_be_infinite_or_no_number(registry: Registry, facts: Facts) -> None:
    run = registry.start_run(**facts)

    registry.add_scores(run.id, [score(value=math.inf), score("ppl", math.nan)])
    scores = registry.run(run.id).scores

    assert scores[0].value == math.inf
    assert math.isnan(scores[1].value)


def test_run_is_found_by_the_beginning_of_its_id(registry: Registry, facts: Facts) -> None:
    for run_id in ("20261121-131502-aa", "20261121-131502-ab", "20261121-131502-abc", "2026-"):
        registry.start_run(**facts, id=run_id)

    assert registry.run("20261121-131502-aa").id == "20261121-131502-aa"
    assert registry.run("20261121-131502-ab").id == "20261121-131502-ab"
    assert registry.run("2026-").id == "2026-"
    with pytest.raises(ConfigError, match=r"several runs begin with '20261121' \(20261121-131502-abc, "):
        registry.run("20261121")


def test_unknown_run_is_told_with_the_newest(registry: Registry, facts: Facts) -> None:
    with pytest.raises(ConfigError, match="no run 'x' in this registry; the newest are: none"):
        registry.reopen_run("x")
    for number in range(7):
        registry.start_run(**facts, id=f"run-{number}")

    expected = "the newest are: run-6, run-5, run-4, run-3, run-2. Did you mean 'run-0'"
    with pytest.raises(ConfigError, match=expected):
        registry.run("rum-0")
    with pytest.raises(ConfigError, match="no run ''"):
        registry.run("")


def test_runs_come_newest_first_and_limited(registry: Registry, facts: Facts) -> None:
    ids = [registry.start_run(**facts).id for _ in range(3)]

    assert [run.id for run in registry.runs()] == ids[::-1]
    assert [run.id for run in registry.runs(limit=2)] == [ids[2], ids[1]]


# Models ------------------------------------------------------------------------------------------------


def test_model_comes_back_as_it_went_in(registry: Registry, facts: Facts) -> None:
    run = registry.start_run(**facts)
    model = add(registry, run_id=run.id)

    assert model == registry.model("de-en/1")
    assert model == Model(
        name="de-en",
        version=1,
        task="translation",
        run_id=run.id,
        folder="/models/x",
        sha256="c0ffee",
        aliases=(),
        created_at=run.started_at + timedelta(minutes=1),
        scores=(score(),),
    )
    assert registry.run(run.id).model == "models:/de-en/1"
    assert registry.run(run.id).scores == ()


def test_each_name_has_its_own_versions(registry: Registry) -> None:
    assert [add(registry, name).version for name in ("a", "b", "a", "a", "b")] == [1, 1, 2, 3, 2]


@pytest.mark.parametrize("prefix", ["", "models:/"])
@pytest.mark.parametrize(
    ("path", "version"), [("a/1", 1), ("a/2", 2), ("a", 3), ("a/latest", 3), ("a@champion", 2)]
)
def test_uris(registry: Registry, prefix: str, path: str, version: int) -> None:
    for _ in range(3):
        add(registry, "a")
    registry.set_alias("a", 2, "champion")

    assert registry.model(prefix + path).version == version


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("de-em", r"no model 'de-em'; there are: de-en, fr-en\. Did you mean 'de-en'\?"),
        ("de-em/1", "no model 'de-em'"),
        ("de-em@champion", "no model 'de-em'"),
        ("de-en/2", "no version 2 of model 'de-en'; the latest is 1"),
        ("de-en/99999999999999999999", "not the URI of a model"),
        ("de-en/one", "'de-en/one' is not the URI of a model; write de-en/3, de-en/latest, de-en@alias"),
        ("de-en@champ", "no alias 'de-en@champ'; there are: de-en@champion. Did you mean 'de-en@champion'"),
    ],
)
def test_unknown_models(registry: Registry, uri: str, message: str) -> None:
    add(registry, "fr-en")
    add(registry)
    registry.set_alias("de-en", 1, "champion")

    with pytest.raises(ConfigError, match=message):
        registry.model(uri)


def test_alias_moves_and_goes(registry: Registry) -> None:
    for _ in range(2):
        add(registry)

    assert registry.set_alias("de-en", 1, "champion").aliases == ("champion",)
    assert registry.set_alias("de-en", 2, "champion").aliases == ("champion",)
    assert registry.set_alias("de-en", 2, "a").aliases == ("a", "champion")
    assert registry.model("de-en/1").aliases == ()
    assert registry.remove_alias("de-en", "champion").aliases == ("a",)
    with pytest.raises(ConfigError, match="no alias 'de-en@champion'"):
        registry.model("de-en@champion")


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda r: add(r, "de/en"), "'de/en' is no name for a model"),
        (lambda r: add(r, ""), "'' is no name for a model"),
        (lambda r: add(r, "x", run_id="nowhere"), "no run 'nowhere'"),
        (lambda r: r.set_alias("de-en", 1, "a b"), "'a b' is no name for an alias"),
        (lambda r: r.set_alias("de-en", 1, "latest"), "'latest' always is the newest version"),
        (lambda r: r.set_alias("de-en", 2, "champion"), "no version 2 of model 'de-en'"),
        (lambda r: r.remove_alias("de-en", "champion"), "no alias 'de-en@champion'; there are: none"),
    ],
)
def test_refused(registry: Registry, act: Callable[[Registry], object], message: str) -> None:
    model = add(registry)

    with pytest.raises(ConfigError, match=message):
        act(registry)

    assert registry.models() == [model]


# Places ------------------------------------------------------------------------------------------------


def test_default_place_is_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEQLOOM_REGISTRY", raising=False)

    with Registry() as registry:
        assert registry.models() == registry.runs() == []
        assert list(tmp_path.iterdir()) == []  # reading makes nothing

        add(registry)

    assert (tmp_path / "registry.db").is_file()


def test_environment_names_another_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEQLOOM_REGISTRY", "sqlite:///sub/other.db")

    with Registry() as registry:
        add(registry)
        monkeypatch.chdir("/")
        assert len(registry.models()) == 1

    assert [file.name for file in tmp_path.iterdir()] == ["sub"]
    with Registry(f"sqlite:///{tmp_path}/sub/other.db") as registry:
        assert len(registry.models()) == 1


def test_registry_in_memory(facts: Facts) -> None:
    with Registry("sqlite://") as registry:
        run = registry.start_run(**facts)
        assert registry.runs() == [run]


def test_tags_are_set_changed_and_taken_away(registry: Registry, facts: Facts) -> None:
    run = registry.start_run(**facts)
    model, other = add(registry), add(registry)
    for tag, look, what in (
        (registry.tag_run, registry.run, run.id),
        (registry.tag_model, registry.model, model.uri),
    ):
        assert look(what).tags == {}
        tag(what, {"team": "mt", "lang": "de"})
        changed = tag(what, {"team": "asr, of old", "lang": None})
        assert changed.tags == look(what).tags == {"team": "asr, of old"}
        with pytest.raises(ConfigError, match=r"no tag 'tema'; there are: team\. Did you mean 'team'\?"):
            tag(what, {"team": "x", "tema": None})
        assert look(what).tags == {"team": "asr, of old"}  # all of it or nothing
    assert registry.model(other.uri).tags == {}


@pytest.mark.parametrize(
    ("key", "value"),
    [("", "x"), ("a b", "x"), ("../a", "x"), ("a", "two\nlines"), ("a", "x" * 1001), ("a", "\0")],
)
def test_tags_are_a_name_and_a_line(registry: Registry, facts: Facts, key: str, value: str) -> None:
    run = registry.start_run(**facts)
    with pytest.raises(ConfigError, match=r"is no (name for a tag|value)"):
        registry.tag_run(run.id, {key: value})
