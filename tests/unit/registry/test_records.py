"""What hangs on runs and models: data, artefacts, events, notes, deletion, what aliases pointed to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from seqloom.errors import ConfigError
from seqloom.registry.records import AliasChange, DataFile, Event, Model, Note
from seqloom.registry.store import Registry

Facts = dict[str, Any]
Make = Callable[[], Model]


@pytest.fixture
def run_id(registry: Registry, facts: Facts) -> str:
    return registry.start_run(**facts, environment={"cpu": "fast"}, git={"commit": "0123abc"}).id


@pytest.fixture
def make(registry: Registry, run_id: str) -> Make:
    return lambda: registry.add_model("de-en", "translation", run_id, "/models/x", "c0ffee", [])


def test_a_run_knows_machine_and_commit(registry: Registry, run_id: str) -> None:
    run = registry.run(run_id)

    assert (run.environment, run.git) == ({"cpu": "fast"}, {"commit": "0123abc"})
    assert registry.runs("git.commit like '0123%' and environment.cpu = 'fast'") == [run]
    assert registry.runs("git.branch is null and versions.torch = '2.11.0'") == [run]
    assert registry.runs("git.commit = 'f00'") == []


def test_data_is_known_by_its_content(registry: Registry, run_id: str, facts: Facts) -> None:
    counted = DataFile(path="copy.de", sha256="ab12", split="valid")
    other = DataFile(path="test.de", sha256="cd34", split="test")

    run = registry.add_data(run_id, [counted, other])

    assert [(file.split, file.path, file.bytes, file.rows) for file in run.data] == [
        ("test", "test.de", None, None),
        ("train", "train.de", 10, 2),
        ("valid", "copy.de", 10, 2),
    ]
    run = registry.add_data(run_id, [replace(other, rows=5)])
    assert [file.rows for file in run.data] == [5, 2, 2]
    second = registry.start_run(**facts)
    assert registry.runs("data_sha256 = 'ab12'") == [second, run]
    assert registry.runs("data like 'test%'") == [run]
    assert registry.runs("not data_sha256 = 'cd34'") == [second]


def test_data_of_a_split_that_nobody_noted_gives_way(registry: Registry, facts: Facts) -> None:
    unsaid = DataFile(path="train.de", sha256="ab12")
    run = registry.start_run(**facts | {"data": [unsaid]})

    noted = DataFile(path="train.de", sha256="ef56", split="train")
    assert registry.add_data(run.id, [noted]).data == (noted,)


def test_artefacts_of_one_path_give_way(registry: Registry, run_id: str) -> None:
    for sha256 in ("old", "new"):
        made = registry.add_artefact(run_id, kind="samples", path="/a", sha256=sha256, size_bytes=3)
    other = registry.add_artefact(run_id, kind="predictions", path="/b", sha256="x", size_bytes=0)

    assert registry.artefacts(run_id) == [made, other]
    assert (made.run_id, made.sha256, made.bytes) == (run_id, "new", 3)
    assert [run.id for run in registry.runs("artefact = 'samples'")] == [run_id]


def test_events_come_in_order(registry: Registry, run_id: str) -> None:
    moment = datetime(2026, 11, 1, tzinfo=UTC)
    registry.add_event(run_id, "skipped", {"step": 3, "places": ["a:1"]}, at=moment)
    last = registry.add_event(run_id, "resumed")

    assert registry.events(run_id) == [
        Event(kind="skipped", at=moment, details={"step": 3, "places": ["a:1"]}),
        last,
    ]
    assert [run.id for run in registry.runs("event = 'skipped' and not event = 'split'")] == [run_id]


def test_notes_of_runs_and_models(registry: Registry, run_id: str, make: Make) -> None:
    moment = datetime(2026, 11, 1, tzinfo=UTC)
    model = make()

    assert registry.note_run(run_id, "too few steps\n\tsee b", at=moment).notes == (
        Note(text="too few steps\n\tsee b", at=moment),
    )
    assert [note.text for note in registry.note_model(model.uri, "the best").notes] == ["the best"]
    assert [run.id for run in registry.runs("note like '%STEPS%'")] == [run_id]
    assert [found.uri for found in registry.models("note = 'the best'")] == [model.uri]


@pytest.mark.parametrize("text", ["", " \n", "a\0b", "\x1b[31m", "x" * 10_001])
def test_what_is_no_note(registry: Registry, run_id: str, text: str) -> None:
    with pytest.raises(ConfigError, match="is no note: use up to 10,000 characters"):
        registry.note_run(run_id, text)


def test_deleted_runs_are_in_no_list_and_come_back(registry: Registry, run_id: str, facts: Facts) -> None:
    other = registry.start_run(**facts)

    deleted = registry.delete_run(run_id)

    assert deleted.deleted_at is not None
    assert registry.runs() == [other]
    assert registry.runs(deleted=True) == [other, deleted]
    assert registry.runs("deleted_at is not null", deleted=True) == [deleted]
    assert registry.run(run_id) == deleted
    with pytest.raises(ConfigError, match=f"run {run_id} was deleted at 2026-11-21 .* UTC already"):
        registry.delete_run(run_id)
    assert registry.restore_run(run_id).deleted_at is None
    with pytest.raises(ConfigError, match="is not deleted"):
        registry.restore_run(run_id)


def test_a_deleted_version_is_neither_the_latest_nor_used_again(registry: Registry, make: Make) -> None:
    first, second = make(), make()

    registry.delete_model(second.uri)

    assert registry.model("de-en") == registry.model("de-en/latest") == first
    assert registry.model("de-en/2").deleted_at is not None
    assert registry.models() == [first]
    assert make().version == 3
    assert registry.restore_model("de-en/2") == second


def test_where_all_versions_are_deleted_there_is_no_latest(registry: Registry, make: Make) -> None:
    registry.delete_model(make().uri)

    with pytest.raises(ConfigError, match="all versions of model 'de-en' are deleted; the newest was 1"):
        registry.model("de-en")


def test_what_an_alias_holds_is_not_deleted(registry: Registry, make: Make) -> None:
    make()
    registry.set_alias("de-en", 1, "champion")

    with pytest.raises(ConfigError, match="models:/de-en/1 is de-en@champion; point that elsewhere first"):
        registry.delete_model("de-en/1")
    registry.remove_alias("de-en", "champion")
    registry.delete_model("de-en/1")
    with pytest.raises(ConfigError, match="models:/de-en/1 is deleted"):
        registry.set_alias("de-en", 1, "champion")


def test_aliases_have_a_history(registry: Registry, make: Make) -> None:
    make(), make()
    registry.set_alias("de-en", 1, "champion")
    registry.set_alias("de-en", 1, "champion")  # says nothing new
    registry.set_alias("de-en", 2, "champion")
    registry.set_alias("de-en", 2, "other")
    registry.remove_alias("de-en", "champion")

    def changes(history: list[AliasChange]) -> list[tuple[str, int | None, int | None]]:
        return [(change.alias, change.former, change.version) for change in history]

    of_champion = [("champion", 2, None), ("champion", 1, 2), ("champion", None, 1)]
    assert changes(registry.alias_history("de-en", "champion")) == of_champion
    assert changes(registry.alias_history("de-en"))[1] == ("other", None, 2)
    assert registry.alias_history("de-en")[0].at > registry.alias_history("de-en")[1].at
    with pytest.raises(ConfigError, match="no model 'de-fr'"):
        registry.alias_history("de-fr")


def test_of_two_who_move_an_alias_one_is_told(registry: Registry, make: Make) -> None:
    make(), make(), make()
    registry.set_alias("de-en", 1, "champion", expected="none")
    registry.set_alias("de-en", 2, "champion", expected=1)

    for expected, found in ((1, "version 1 was"), ("none", "no such alias was")):
        with pytest.raises(ConfigError, match=f"de-en@champion points to version 2, and {found} expected"):
            registry.set_alias("de-en", 3, "champion", expected=expected)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="points to version 2, and version 1 was expected"):
        registry.remove_alias("de-en", "champion", expected=1)
    with pytest.raises(ConfigError, match="de-en@new is not there, and version 1 was expected"):
        registry.set_alias("de-en", 3, "new", expected=1)
    assert registry.model("de-en@champion").version == 2
    assert len(registry.alias_history("de-en")) == 2


def test_a_model_is_found_by_the_run_that_made_it(registry: Registry, run_id: str, make: Make) -> None:
    with pytest.raises(ConfigError, match=f"run {run_id} .train. made no model that is registered"):
        registry.model(f"runs:/{run_id}")
    first, second = make(), make()

    assert registry.model(f"runs:/{run_id}") == second
    registry.delete_model(second.uri)
    assert registry.model(f"runs:/{run_id}") == first
