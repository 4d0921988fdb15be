"""Each run's folder has what the registry knows of it; where it cannot be written, nothing fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seqloom.errors import ConfigError
from seqloom.registry import mirror
from seqloom.registry.mirror import RunRecord
from seqloom.registry.records import Score
from seqloom.registry.store import Registry

Facts = dict[str, Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


@pytest.fixture
def run_id(registry: Registry, facts: Facts, folder: Path) -> str:
    return registry.start_run(**facts, id="run", folder=str(folder)).id


def score(step: int, value: float = 1.0) -> Score:
    return Score(metric="bleu", value=value, split="valid", step=step, signature="")


def record(folder: Path) -> RunRecord:
    found, damaged = mirror.read(folder)
    assert damaged == []
    return found


def lines(folder: Path) -> int:
    return len((folder / mirror.FILE).read_text().splitlines())


def test_a_record_has_what_the_registry_has(registry: Registry, run_id: str, folder: Path) -> None:
    model = registry.add_model("de-en", "t", run_id, "/x", "c0", [score(1)])
    registry.note_model(model.uri, "the best")
    registry.set_alias("de-en", 1, "champion")
    registry.add_event(run_id, "skipped", {"step": 3})
    left = registry.add_artefact(run_id, kind="samples", path="/a", sha256="x", size_bytes=3)
    registry.tag_run(run_id, {"team": "mt"})

    found = record(folder)

    assert found.run == registry.run(run_id)
    assert [made.model for made in found.models] == [registry.model("de-en")]
    assert found.models[0].changes == tuple(registry.alias_history("de-en"))
    assert (found.events, found.artefacts) == (tuple(registry.events(run_id)), (left,))


def test_what_comes_often_adds_a_line(registry: Registry, run_id: str, folder: Path) -> None:
    before = (folder / mirror.FILE).read_bytes()
    for step in (1, 2, 3):
        registry.add_scores(run_id, [score(step)])
    registry.add_scores(run_id, [score(2, 5.0)])
    registry.add_event(run_id, "skipped")
    for sha256 in ("old", "new"):
        registry.add_artefact(run_id, kind="samples", path="/a", sha256=sha256, size_bytes=3)

    assert (folder / mirror.FILE).read_bytes().startswith(before)
    assert lines(folder) == 8
    found = record(folder)
    assert found.run == registry.run(run_id)
    assert [one.value for one in found.run.scores] == [1.0, 1.0, 5.0]
    assert (found.events, found.artefacts) == (
        tuple(registry.events(run_id)),
        tuple(registry.artefacts(run_id)),
    )
    registry.end_run(run_id, "finished")
    assert lines(folder) == 1
    assert record(folder).run == registry.run(run_id)


def test_taking_a_tag_away_is_a_change(registry: Registry, run_id: str, folder: Path) -> None:
    registry.add_model("de-en", "t", run_id, "/x", "", [])
    for tags in ({"a": "1", "b": "2"}, {"a": None}):
        registry.tag_run(run_id, tags)
        registry.tag_model("de-en", tags)

    assert record(folder).run.tags == record(folder).models[0].model.tags == {"b": "2"}


def test_an_alias_is_a_matter_of_both_its_versions(
    registry: Registry, facts: Facts, tmp_path: Path
) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        registry.start_run(**facts, id=name, folder=str(tmp_path / name))
        registry.add_model("de-en", "t", name, "/x", "", [])
    registry.set_alias("de-en", 1, "champion")
    registry.set_alias("de-en", 2, "champion")

    first, second = (record(tmp_path / name).models[0] for name in "ab")

    assert (first.model.aliases, second.model.aliases) == ((), ("champion",))
    assert [change.version for change in first.changes] == [1, 2]
    assert [change.version for change in second.changes] == [2]
    registry.remove_alias("de-en", "champion")
    assert record(tmp_path / "b").models[0].model.aliases == ()


def test_what_is_refused_changes_no_record(registry: Registry, run_id: str, folder: Path) -> None:
    before = (folder / mirror.FILE).read_bytes()

    with pytest.raises(ConfigError):
        registry.tag_run(run_id, {"team": "mt", "a b": "no"})

    assert (folder / mirror.FILE).read_bytes() == before


def _no_folder(folder: Path) -> None:
    (folder / mirror.FILE).unlink()
    folder.rmdir()


def _in_the_way(folder: Path) -> None:
    (folder / mirror.FILE).unlink()
    (folder / mirror.FILE).mkdir()
    (folder / f".{mirror.FILE}.new").mkdir()


@pytest.mark.parametrize("spoil", [_no_folder, _in_the_way])
def test_where_it_cannot_be_written_the_registry_goes_on(
    registry: Registry, run_id: str, folder: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(folder)

    registry.add_scores(run_id, [score(1)])
    registry.add_event(run_id, "skipped")
    registry.end_run(run_id, "finished")

    run = registry.run(run_id)
    assert (run.status, run.scores) == ("finished", (score(1),))


def test_what_is_said_next_heals_it(registry: Registry, run_id: str, folder: Path) -> None:
    whole = (folder / mirror.FILE).read_bytes()
    registry.add_scores(run_id, [score(1)])
    (folder / mirror.FILE).write_bytes(whole)  # as if the line had not been written
    registry.add_scores(run_id, [score(2)])
    assert record(folder).run.scores == (score(2),)

    registry.end_run(run_id, "finished")

    assert record(folder).run.scores == (score(1), score(2))
    (folder / mirror.FILE).write_bytes(b"")
    registry.add_event(run_id, "late")
    assert record(folder).run == registry.run(run_id)


def test_a_folder_that_no_disk_can_have(registry: Registry, facts: Facts) -> None:
    for number, folder in enumerate(("a\0b", "x" * 300, "../..\n")):
        registry.start_run(**facts, id=f"r{number}", folder=folder)

    assert len(registry.runs()) == 3


def test_figures_of_all_kinds(registry: Registry, run_id: str, folder: Path) -> None:
    values = [float("nan"), float("inf"), -float("inf"), 0.1 + 0.2, 5e-324, 3]
    registry.add_scores(run_id, [score(step, value) for step, value in enumerate(values)])

    added = repr(record(folder).run.scores)
    registry.end_run(run_id, "finished")

    assert added == repr(record(folder).run.scores) == repr(registry.run(run_id).scores)


def test_it_is_lines_of_json(registry: Registry, run_id: str, folder: Path) -> None:
    registry.note_run(run_id, "über\nzwei Zeilen")
    registry.add_scores(run_id, [score(1)])

    first, second = map(json.loads, (folder / mirror.FILE).read_text(encoding="ascii").splitlines())

    assert (first["format"], first["run"]["notes"][0]["text"]) == (mirror.FORMAT, "über\nzwei Zeilen")
    assert second["scores"][0]["metric"] == "bleu"
