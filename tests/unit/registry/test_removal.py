"""Files that are given up, and models that come from elsewhere, as the registry has them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from seqloom.errors import ConfigError
from seqloom.registry.records import Note, Score
from seqloom.registry.store import Registry

Facts = dict[str, Any]
SCORE = Score(metric="bleu", value=31.5, split="valid", step=500, signature="nrefs:1")


def add(registry: Registry, folder: str, name: str = "de-en") -> str:
    return registry.add_model(name, "translation", None, folder, "c0ffee", []).uri


def test_deleted_ones_are_told_in_their_order(registry: Registry, facts: Facts) -> None:
    for id_ in ("a", "b", "c"):
        add(registry, f"/models/{id_}")
        registry.start_run(**facts, id=id_)
    for uri, id_ in (("de-en/3", "c"), ("de-en/1", "a")):
        registry.delete_model(uri)
        registry.delete_run(id_)
    assert [model.version for model in registry.deleted_models()] == [1, 3]
    assert [run.id for run in registry.deleted_runs()] == ["a", "c"]


def test_a_purge_is_noted_once(registry: Registry, facts: Facts) -> None:
    add(registry, "/models/a")
    registry.start_run(**facts, id="a", folder="/runs/a")
    late = registry.delete_model("de-en/1").deleted_at
    registry.delete_run("a")
    assert late is not None
    late += timedelta(days=1)
    model, run = registry.purge_model("de-en", 1, late), registry.purge_run("a", late)
    assert model.purged_at is not None
    assert run.purged_at is not None
    assert registry.purge_model("de-en", 1, late).purged_at == model.purged_at  # another one finishes
    assert registry.purge_run("a", late).purged_at == run.purged_at
    for restore, name in ((registry.restore_model, "de-en/1"), (registry.restore_run, "a")):
        with pytest.raises(ConfigError, match="were removed at"):
            restore(name)


def test_a_run_that_is_deleted_does_not_go_on(registry: Registry, facts: Facts) -> None:
    registry.start_run(**facts, id="a")
    registry.delete_run("a")
    with pytest.raises(ConfigError, match="run a is deleted; `seqloom runs rm --undo a` takes that back"):
        registry.reopen_run("a")
    registry.restore_run("a")
    assert registry.reopen_run("a").status == "running"


def test_folders_are_kept_until_they_are_given_up(registry: Registry, facts: Facts) -> None:
    registry.start_run(**facts, id="a", folder="/runs/a")
    registry.start_run(**facts, id="ab", folder="/runs/ab")
    registry.start_run(**facts, id="none")
    add(registry, "/runs/a/model")
    registry.delete_model("de-en/1")
    kept = {"a": "/runs/a", "ab": "/runs/ab", "models:/de-en/1": "/runs/a/model"}
    assert registry.kept_folders() == kept
    del kept["ab"]
    assert registry.kept_folders(within="/runs/a") == kept
    late = registry.model("de-en/1").deleted_at
    assert late is not None
    registry.purge_model("de-en", 1, late)
    assert registry.kept_folders(within="/runs/a") == {"a": "/runs/a"}


def test_wildcards_in_folders_mean_themselves(registry: Registry) -> None:
    late = add(registry, "/models/a_b")
    add(registry, "/models/axb/model", "other")
    deleted = registry.delete_model(late).deleted_at
    assert deleted is not None
    assert registry.purge_model("de-en", 1, deleted).purged_at is not None


# Imports -----------------------------------------------------------------------------------------------


def brought(facts: Facts, **changes: Any) -> Facts:
    model = {"folder": "/runs/mine/model", "sha256": "c0ffee", "scores": [SCORE]}
    model |= {"tags": {"team": "mt"}, "notes": [Note(text="good", at=changes.pop("at"))]}
    return {"brought": model | changes, **facts | {"kind": "import", "id": "mine", "folder": "/runs/mine"}}


def test_an_import_is_entered_whole(registry: Registry, facts: Facts) -> None:
    add(registry, "/models/a")
    at = registry.model("de-en").created_at
    model = registry.import_model(**brought(facts, at=at))
    assert (model.uri, model.run_id, model.folder) == ("models:/de-en/2", "mine", "/runs/mine/model")
    assert (model.scores, model.tags, model.notes) == (
        (SCORE,),
        {"team": "mt"},
        (Note(text="good", at=at),),
    )
    assert registry.model("de-en") == model == registry.model("runs:/mine")
    run = registry.run("mine")
    assert (run.kind, run.status, run.model, run.data) == ("import", "finished", model.uri, facts["data"])
    assert run.started_at == run.ended_at == model.created_at
    with pytest.raises(ConfigError, match="there is a run 'mine' already"):
        registry.import_model(**brought(facts, at=at))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tags": {"a b": "c"}}, "is no name for a tag"),
        ({"tags": {"a": "b\nc"}}, "is no value"),
        ({"notes": [Note(text="", at=None)]}, "is no note"),  # type: ignore[arg-type]
    ],
)
def test_an_import_is_entered_whole_or_not(
    registry: Registry, facts: Facts, changes: Facts, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        registry.import_model(**brought(facts, at=None, **changes))
    assert registry.models() == registry.runs() == []
