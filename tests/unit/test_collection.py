"""What of the deleted is removed, and what never is."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from seqloom.collection import Waste, collect_waste, find_waste
from seqloom.errors import ConfigError
from seqloom.site import alone
from seqloom.storage import verify_folder, write_json

Shelf = Any


def soon() -> datetime:
    """A moment that whatever was deleted by now was deleted by."""
    return datetime.now(UTC) + timedelta(seconds=1)


def found(shelf: Shelf) -> list[Waste]:
    return find_waste(shelf.registry, shelf.runs, soon())


def collected(shelf: Shelf) -> dict[str, str | None]:
    """What was taken, or why it was not, by name."""
    return {one.name: one.obstacle for one in collect_waste(shelf.registry, shelf.runs, soon())}


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def size(folder: Path) -> int:
    return sum((folder / name).stat().st_size for name in files(folder))


def test_a_deleted_model_goes_and_its_row_stays(shelf: Shelf) -> None:
    first, second = shelf.model(), shelf.model()
    shelf.registry.delete_model(first.uri)
    folder = Path(first.folder)

    expected = Waste(name=first.uri, folder=first.folder, paths=(folder,), size_bytes=size(folder))
    assert found(shelf) == [expected]
    assert folder.is_dir()  # finding changes nothing
    assert shelf.registry.model(first.uri).purged_at is None
    assert collected(shelf) == {first.uri: None}
    assert not folder.exists()
    assert (folder.parent / "checkpoints").is_dir()  # of a run that is not deleted
    verify_folder(Path(second.folder))
    assert shelf.registry.model(first.uri).purged_at is not None
    assert found(shelf) == []
    with pytest.raises(ConfigError, match="the files of models:/de-en/1 were removed"):
        shelf.registry.restore_model(first.uri)
    assert shelf.model().version == 3


def test_nothing_goes_that_is_not_deleted_or_too_lately(shelf: Shelf) -> None:
    model = shelf.model()
    assert collected(shelf) == {}
    deleted = shelf.registry.delete_model(model.uri).deleted_at
    assert deleted is not None
    before = deleted - timedelta(microseconds=1)
    assert find_waste(shelf.registry, shelf.runs, before) == []
    assert list(collect_waste(shelf.registry, shelf.runs, before)) == []
    with pytest.raises(ConfigError, match=r"was deleted at .* and not before"):
        shelf.registry.purge_model("de-en", 1, before)
    assert Path(model.folder).is_dir()
    assert [one.name for one in find_waste(shelf.registry, shelf.runs, deleted)] == [model.uri]


def test_a_deleted_run_goes_but_for_its_model(shelf: Shelf) -> None:
    model = shelf.model()
    folder = Path(model.folder).parent
    write_json(folder / "record.jsonl", {})
    (folder / "samples").mkdir()
    (folder / "samples" / "0.jsonl").write_text("{}\n")
    shelf.registry.delete_run(model.run_id)

    [waste] = found(shelf)
    assert {path.name for path in waste.paths} == {"checkpoints", "samples", "config.json"}
    assert waste.size_bytes == size(folder / "checkpoints") + size(folder / "samples") + 3
    assert collected(shelf) == {model.run_id: None}
    assert {name.partition("/")[0] for name in files(folder)} <= {"model", "record.jsonl", ".lock"}
    verify_folder(Path(model.folder))
    assert shelf.registry.run(model.run_id).purged_at is not None
    assert collected(shelf) == {}

    shelf.registry.delete_model(model.uri)  # later the model goes, too, and then nothing is left
    assert collected(shelf) == {model.uri: None, model.run_id: None}
    assert not folder.exists()


def test_a_run_goes_whole_with_its_model(shelf: Shelf) -> None:
    model = shelf.model()
    folder = Path(model.folder).parent
    shelf.registry.delete_model(model.uri)
    shelf.registry.delete_run(model.run_id)
    assert [(one.name, one.paths) for one in found(shelf)] == [
        (model.uri, (folder / "model",)),
        (model.run_id, (folder,)),
    ]
    assert sum(one.size_bytes for one in found(shelf)) == size(folder)  # nothing is counted twice
    assert collected(shelf) == {model.uri: None, model.run_id: None}
    assert list(shelf.runs.iterdir()) == []


def test_a_run_without_folder_is_marked(shelf: Shelf) -> None:
    facts = {"kind": "decode", "name": "x", "task": "t", "config": {}, "seed": 1, "versions": {}}
    run = shelf.registry.start_run(**facts, device="cpu", device_reason="", data=[])
    shelf.registry.delete_run(run.id)
    assert found(shelf) == [Waste(name=run.id, folder="")]
    assert collected(shelf) == {run.id: None}
    assert found(shelf) == []


def test_what_an_alias_holds_stays(shelf: Shelf) -> None:
    model = shelf.model()
    shelf.registry.set_alias("de-en", 1, "champion")
    with pytest.raises(ConfigError, match="models:/de-en/1 is de-en@champion"):
        shelf.registry.delete_model(model.uri)
    with pytest.raises(ConfigError, match="is not deleted any more"):
        shelf.registry.purge_model("de-en", 1, soon())
    assert collected(shelf) == {}


class Meddler:
    """A registry in which somebody does something at the last moment before a purge.

    Args:
        registry: The registry.
        act: What is done.
    """

    def __init__(self, registry: Any, act: Any) -> None:
        self.registry = registry
        self.act = act

    def __getattr__(self, name: str) -> Any:
        if name.startswith("purge_"):
            self.act()
        return getattr(self.registry, name)


@pytest.mark.parametrize("alias", [True, False])
def test_what_is_taken_back_at_the_last_moment_stays(shelf: Shelf, *, alias: bool) -> None:
    model = shelf.model()
    shelf.registry.delete_model(model.uri)

    def act() -> None:
        shelf.registry.restore_model(model.uri)
        if alias:
            shelf.registry.set_alias("de-en", 1, "champion")

    meddler: Any = Meddler(shelf.registry, act)
    [waste] = collect_waste(meddler, shelf.runs, soon())
    assert waste.obstacle == "models:/de-en/1 is not deleted any more"
    verify_folder(Path(model.folder))
    assert shelf.registry.model(model.uri).purged_at is None


def test_a_model_that_is_entered_at_the_last_moment_stays(shelf: Shelf) -> None:
    run = shelf.run()
    folder = Path(run.folder) / "checkpoints" / "best"
    digest = shelf.write_model(folder)
    shelf.registry.delete_run(run.id)

    meddler: Any = Meddler(
        shelf.registry, lambda: shelf.registry.add_model("late", "t", run.id, str(folder), digest, [])
    )
    assert [one.obstacle for one in collect_waste(meddler, shelf.runs, soon())] == [None]
    verify_folder(folder)
    assert not (Path(run.folder) / "config.json").exists()


def test_folders_that_models_share_stay(shelf: Shelf) -> None:
    model = shelf.model()
    other = shelf.registry.add_model("twin", "translation", None, model.folder, model.sha256, [])
    shelf.registry.delete_model(model.uri)
    with pytest.raises(ConfigError, match="has something of models:/twin/1"):
        shelf.registry.purge_model("de-en", 1, soon())
    assert collected(shelf) == {model.uri: f"{model.folder} is shared with {other.uri}"}
    shelf.registry.delete_model(other.uri)
    assert collected(shelf)[model.uri] is not None  # as long as the other one may be taken back
    verify_folder(Path(model.folder))


@pytest.mark.parametrize("within", [True, False])
def test_folders_within_each_other_stay(shelf: Shelf, *, within: bool) -> None:
    model = shelf.model()
    folder = Path(model.folder)
    inner = folder.parent if not within else folder / "tokenizers"
    shelf.registry.add_model("odd", "translation", None, str(inner), "c0ffee", [])
    shelf.registry.delete_model(model.uri)
    assert collected(shelf) == {model.uri: f"{folder} is shared with models:/odd/1"}
    with pytest.raises(ConfigError, match="has something of models:/odd/1"):
        shelf.registry.purge_model("de-en", 1, soon())
    verify_folder(folder)


def test_a_model_that_is_a_whole_run_stays_while_the_run_does(shelf: Shelf) -> None:
    run = shelf.run()
    model = shelf.registry.add_model("odd", "translation", run.id, run.folder, "c0ffee", [])
    shelf.registry.delete_model(model.uri)
    assert collected(shelf) == {model.uri: f"{run.folder} is shared with {run.id}"}
    with pytest.raises(ConfigError, match=f"has something of run {run.id}"):
        shelf.registry.purge_model("odd", 1, soon())


def test_outside_of_the_runs_only_what_was_registered_goes(shelf: Shelf) -> None:
    folder = shelf.folder / "elsewhere"
    digest = shelf.write_model(folder)
    model = shelf.registry.add_model("a", "translation", None, str(folder), digest, [])
    shelf.registry.delete_model(model.uri)
    (folder / "thesis.txt").write_text("mine")
    assert "thesis.txt: the manifest does not know this file" in str(collected(shelf)[model.uri])
    (folder / "thesis.txt").unlink()
    shelf.write_model(folder, "others")
    assert "has another manifest" in str(collected(shelf)[model.uri])
    (folder / "manifest.json").unlink()
    assert "there is no manifest.json" in str(collected(shelf)[model.uri])
    assert folder.is_dir()
    shelf.write_model(folder)
    assert collected(shelf) == {model.uri: None}
    assert not folder.exists()


def test_what_is_put_back_after_a_purge_stays(shelf: Shelf) -> None:
    model = shelf.model()
    copy = shelf.folder / "copy"
    shutil.copytree(model.folder, copy)
    shelf.registry.delete_model(model.uri)
    assert collected(shelf) == {model.uri: None}
    shutil.copytree(copy, model.folder)
    shelf.registry.delete_run(model.run_id)
    back = f"{model.folder} came to be there after its files had been removed"
    for _ in range(2):
        told = collected(shelf)
        assert told.pop(model.uri) == back
    assert told == {}
    verify_folder(Path(model.folder))
    assert not (Path(model.folder).parent / "checkpoints").exists()


def test_a_run_elsewhere_stays(shelf: Shelf) -> None:
    run = shelf.run()
    shelf.registry.delete_run(run.id)
    other = shelf.folder / "other"
    [waste] = collect_waste(shelf.registry, other, soon())
    assert waste.obstacle == f"{run.folder} is not in {other}; name its folder of runs with SEQLOOM_RUNS"
    assert Path(run.folder).is_dir()
    assert shelf.registry.run(run.id).purged_at is None


@pytest.mark.parametrize("which", ["model", "run"])
def test_nothing_goes_through_a_link(shelf: Shelf, which: str) -> None:
    model = shelf.model()
    place = Path(model.folder) if which == "model" else Path(model.folder).parent
    real = shelf.folder / "real"
    place.rename(real)
    place.symlink_to(real)
    shelf.registry.delete_model(model.uri)
    shelf.registry.delete_run(model.run_id)
    before = files(real)
    told = collected(shelf)
    assert "link" in str(told[model.uri])
    assert which == "model" or "is not in" in str(told[model.run_id])
    assert files(real) >= {name for name in before if which == "run" or "/" not in name}
    assert place.is_symlink()


def test_a_folder_of_runs_may_be_a_link(shelf: Shelf) -> None:
    model = shelf.model()
    shelf.runs.rename(shelf.folder / "large-disk")
    shelf.runs.symlink_to(shelf.folder / "large-disk")
    shelf.registry.delete_model(model.uri)
    shelf.registry.delete_run(model.run_id)
    assert collected(shelf) == {model.uri: None, model.run_id: None}
    assert list(shelf.runs.iterdir()) == []


def test_links_in_a_run_are_removed_and_not_followed(shelf: Shelf) -> None:
    run = shelf.run()
    data = shelf.folder / "data"
    data.mkdir()
    (data / "train.de").write_text("Ein Hund.\n")
    (Path(run.folder) / "data").symlink_to(data)
    (Path(run.folder) / "train.de").symlink_to(data / "train.de")
    shelf.model(run)
    shelf.registry.delete_run(run.id)
    assert collected(shelf) == {run.id: None}
    assert not (Path(run.folder) / "data").is_symlink()
    assert (data / "train.de").read_text() == "Ein Hund.\n"


def test_a_run_in_which_a_process_works_stays(shelf: Shelf) -> None:
    run = shelf.run()
    shelf.registry.delete_run(run.id)
    with alone(Path(run.folder)):
        assert collected(shelf) == {run.id: f"a process works in {run.folder}"}
    assert collected(shelf) == {run.id: None}


def test_what_a_killed_collection_left_goes_with_the_next(shelf: Shelf) -> None:
    first, second, third = shelf.model(), shelf.model(), shelf.model()
    for model in (first, second):
        shelf.registry.delete_model(model.uri)
        shelf.registry.purge_model("de-en", model.version, soon())  # and then it died
    folder = Path(second.folder)
    folder.rename(folder.with_name(".model.gone"))  # or then
    shelf.registry.delete_run(third.run_id)
    shelf.registry.purge_run(third.run_id, soon())
    assert collected(shelf) == {first.uri: None, second.uri: None, third.run_id: None}
    assert not Path(first.folder).exists()
    assert files(folder.parent) == {
        "config.json",
        "record.jsonl",
        *(f"checkpoints/00000010/{n}" for n in ("manifest.json", "state.json")),
    }
    assert not (Path(third.folder).parent / "checkpoints").exists()
    verify_folder(Path(third.folder))
    assert collected(shelf) == {}


def test_what_cannot_be_removed_is_told_and_tried_again(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = shelf.model()
    shelf.registry.delete_model(model.uri)
    with monkeypatch.context() as patch:
        patch.setattr("seqloom.collection.discard_folder", lambda folder: None)  # root may do everything
        [waste] = collect_waste(shelf.registry, shelf.runs, soon())
    assert waste.is_left
    assert waste.obstacle == f"{model.folder} could not be removed; look at its permissions"
    assert collected(shelf) == {model.uri: None}
    assert not Path(model.folder).exists()
