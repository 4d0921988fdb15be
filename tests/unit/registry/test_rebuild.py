"""A registry made anew of run folders is what it was; where folders do not agree, it says what it decided."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from furnishing import MOMENT, Furnisher, facts_of, write_model

from seqloom.errors import ConfigError, StorageError
from seqloom.registry import mirror
from seqloom.registry.rebuilding import rebuild
from seqloom.registry.records import DataFile, Score
from seqloom.registry.store import Registry

Facts = dict[str, Any]
NewUrl = Callable[[], str]
Start = Callable[..., str]
Make = Callable[..., int]


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def target(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'anew.db'}"


@pytest.fixture
def source(tmp_path: Path, new_clock: Any) -> Any:
    with Registry(f"sqlite:///{tmp_path / 'registry.db'}", clock=new_clock()) as opened:
        yield opened


@pytest.fixture
def start(source: Registry, runs: Path, facts: Facts) -> Start:
    """``start("a")``: enters a run that has a folder; gives its id."""

    def enter(run_id: str, **more: Any) -> str:
        (runs / run_id).mkdir(parents=True)
        return source.start_run(**{**facts, "id": run_id, "folder": str(runs / run_id)}, **more).id

    return enter


@pytest.fixture
def make(source: Registry, runs: Path) -> Make:
    """``make("a")``: enters a model that a run made; gives its version."""

    def enter(run_id: str, name: str = "de-en") -> int:
        folder = runs / run_id / "model"
        shutil.rmtree(folder, ignore_errors=True)
        sha256 = write_model(folder)
        return source.add_model(name, "translation", run_id, str(folder), sha256, []).version

    return enter


def remarks_of(target: str, *runs: Path) -> tuple[str, ...]:
    return rebuild(target, runs).remarks


# As it was ---------------------------------------------------------------------------------------------


def test_everything_comes_back(source: Registry, new_url: NewUrl, runs: Path) -> None:
    Furnisher(source, runs, random.Random(1)).furnish(40)
    target = new_url()

    done = rebuild(target, [runs])

    assert done.remarks == ()
    with Registry(target) as anew:
        assert facts_of(anew) == facts_of(source)
        assert (done.runs, done.models) == (len(anew.runs(deleted=True)), len(anew.models(deleted=True)))


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(20))
def test_everything_comes_back_many_times(source: Registry, target: str, runs: Path, seed: int) -> None:
    Furnisher(source, runs, random.Random(seed)).furnish(150)

    assert rebuild(target, [runs]).remarks == ()

    with Registry(target) as anew:
        assert facts_of(anew) == facts_of(source)


def test_everything_comes_back_whatever_it_was_in(registry: Registry, target: str, runs: Path) -> None:
    Furnisher(registry, runs, random.Random(4)).furnish(30)

    assert rebuild(target, [runs]).remarks == ()

    with Registry(target) as anew:
        assert facts_of(anew) == facts_of(registry)


def test_what_was_made_anew_goes_on_and_comes_back_again(
    source: Registry, target: str, tmp_path: Path, runs: Path
) -> None:
    Furnisher(source, runs, random.Random(7)).furnish(20)
    rebuild(target, [runs])

    with Registry(target, clock=lambda: MOMENT.replace(year=2027)) as anew:
        furnisher = Furnisher(anew, runs, random.Random(8))
        furnisher.ids = [run.id for run in anew.runs(deleted=True)]
        furnisher.models = [(model.name, model.version) for model in anew.models()]
        for act in (furnisher.make, furnisher.score, furnisher.happen, furnisher.point):
            act()
        again = f"sqlite:///{tmp_path / 'again.db'}"
        assert rebuild(again, [runs]).remarks == ()
        with Registry(again) as once_more:
            assert facts_of(once_more) == facts_of(anew)


def test_what_one_run_counted_all_know(
    source: Registry, start: Start, target: str, runs: Path, facts: Facts
) -> None:
    start("a")
    start("b")
    counted = replace(facts["data"][0], rows=7)
    source.add_data("b", [counted])

    rebuild(target, [runs])

    with Registry(target) as anew:
        assert anew.run("a") == source.run("a")
        assert [file.rows for file in anew.run("a").data] == [7]


def test_several_folders_of_runs_make_one_registry(
    source: Registry, start: Start, make: Make, target: str, runs: Path, tmp_path: Path
) -> None:
    for run_id in "ab":
        make(start(run_id))
    (tmp_path / "others").mkdir()
    shutil.move(runs / "b", tmp_path / "others" / "b")

    assert remarks_of(target, runs, tmp_path / "others") == ()

    with Registry(target) as anew:
        moved = tmp_path / "others" / "b"
        assert [run.folder for run in anew.runs()] == [str(moved), str(runs / "a")]
        assert [model.folder for model in anew.models()] == [
            str(moved / "model"),
            str(runs / "a" / "model"),
        ]


# What is not known -------------------------------------------------------------------------------------


def test_a_number_that_no_folder_knows_stays_taken(
    source: Registry, start: Start, make: Make, target: str, runs: Path
) -> None:
    for run_id in "abcd":
        make(start(run_id))
    source.set_alias("de-en", 4, "champion")
    source.set_alias("de-en", 3, "champion")
    shutil.rmtree(runs / "b")
    shutil.rmtree(runs / "d")

    remarks = remarks_of(target, runs)

    entered = "no folder knows it; it is entered as deleted, so that its number is not used again"
    assert remarks == (f"models:/de-en/4: {entered}", f"models:/de-en/2: {entered}")
    with Registry(target) as anew:
        assert [model.version for model in anew.models()] == [3, 1]
        lost = anew.model("de-en/2")
        assert (lost.folder, lost.deleted_at, lost.purged_at) == ("", lost.created_at, lost.created_at)
        assert anew.model("de-en@champion").version == 3
        assert anew.add_model("de-en", "translation", None, "/x", "", []).version == 5


def test_an_alias_of_a_version_that_is_gone_is_taken_away(
    source: Registry, start: Start, make: Make, target: str, runs: Path
) -> None:
    for run_id in "ab":
        make(start(run_id))
    source.set_alias("de-en", 2, "champion")
    source.set_alias("de-en", 1, "champion")
    source.set_alias("de-en", 2, "champion")
    shutil.rmtree(runs / "b")

    assert "de-en@champion: it pointed to version 2, which is not there any more" in remarks_of(
        target, runs
    )

    with Registry(target) as anew:
        assert anew.model("de-en/1").aliases == ()
        assert [change.version for change in anew.alias_history("de-en")] == [2, 1]


def test_of_two_that_claim_a_number_the_later_has_it(
    source: Registry, start: Start, make: Make, target: str, runs: Path
) -> None:
    """A process may have died after its folder was written, and before the registry had it for good."""
    make(start("a"))
    make(start("b"))
    record, _ = mirror.read(runs / "a")
    claimed = replace(record.models[0].model, version=2)
    mirror.write(
        runs / "a",
        replace(
            record,
            run=replace(record.run, model=claimed.uri),
            models=(replace(record.models[0], model=claimed),),
        ),
    )

    remarks = remarks_of(target, runs)

    assert remarks[0] == (
        "models:/de-en/2: runs a and b claim that number; it is that of the later, b, and the other's model "
        "is models:/de-en/3"
    )
    with Registry(target) as anew:
        assert (anew.model("de-en/2").run_id, anew.model("de-en/3").run_id) == ("b", "a")
        assert anew.run("a").model == "models:/de-en/3"
        assert anew.model("de-en/1").deleted_at is not None


def test_a_copy_of_a_folder_is_left_out(start: Start, make: Make, target: str, runs: Path) -> None:
    make(start("m"))
    shutil.copytree(runs / "m", runs / "a copy")

    assert remarks_of(target, runs) == (f"{runs / 'a copy'}: left out, as {runs / 'm'} is of run m, too",)

    with Registry(target) as anew:
        assert [model.folder for model in anew.models()] == [str(runs / "m" / "model")]


def test_a_line_that_was_cut_short_is_left_out(
    source: Registry, start: Start, target: str, runs: Path
) -> None:
    start("a")
    scores = [Score(metric="bleu", value=step, split="valid", step=step, signature="") for step in range(3)]
    source.add_scores("a", scores[:1])
    with (runs / "a" / mirror.FILE).open("a") as stream:
        stream.write('{"scores": [{"metr')
    source.add_scores("a", scores[1:2])
    source.add_scores("a", scores[2:])

    assert remarks_of(target, runs) == (f"{runs / 'a' / mirror.FILE}: damaged, and left out, are lines 3",)

    with Registry(target) as anew:
        assert anew.run("a").scores == tuple(scores)


def test_a_record_of_tomorrow_is_named(start: Start, target: str, runs: Path) -> None:
    start("a")
    (runs / "a" / mirror.FILE).write_text('{"format": 2}\n')

    newer, none = remarks_of(target, runs)

    assert newer.endswith("a newer Seqloom wrote it (format 2, where this one knows 1); install that")
    assert none.startswith(f"{runs / 'a'}: its config.json tells of no training")


# Folders of before -------------------------------------------------------------------------------------


def write_older(folder: Path, steps: int, *, has_model: bool = True) -> None:
    """A training's folder as it was before records were kept."""
    folder.mkdir(parents=True)
    job = {"name": "de-en", "task": {"name": "translation"}, "train": {"seed": 5, "steps": steps}}
    saved = {"job": job, "data": {"/data/b": "b1", "/data/a": "a1"}}
    (folder / "config.json").write_text(json.dumps(saved))
    lines = [{"step": 1, "loss": 2.5}, {"step": 2, "scores": {"bleu": 10.0, "ppl": None}}]
    lines += [{"step": steps, "scores": {"bleu": 20.5}}]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"st')
    if has_model:
        write_model(folder / "model")
        score = {"metric": "bleu", "value": 20.5, "split": "valid", "step": steps, "signature": "nrefs:1"}
        (folder / "model" / "metrics.json").write_text(json.dumps([score]))
        (folder / "model" / "config.json").write_text(json.dumps({"versions": {"torch": "2.11.0"}}))


def test_folders_of_before_tell_what_they_can(target: str, runs: Path, tmp_path: Path) -> None:
    write_older(runs / "20260102-030405-aaaaaa", 4)
    write_older(runs / "20260102-030406-bbbbbb", 5, has_model=False)
    (runs / "unfinished").mkdir()

    first, second, number = remarks_of(target, runs)

    assert first.startswith(f"{runs / '20260102-030405-aaaaaa'}: has no record, and tells by its files: ")
    assert second.startswith(f"{runs / '20260102-030406-bbbbbb'}: has no record")
    model = runs / "20260102-030405-aaaaaa" / "model"
    assert number == f"models:/de-en/1: {model} does not say its number; it goes by age"
    with Registry(target) as anew:
        other, run = anew.runs()
        assert (run.status, run.seed, run.model, run.versions) == (
            "finished",
            5,
            "models:/de-en/1",
            {"torch": "2.11.0"},
        )
        assert run.started_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        assert run.data == (DataFile(path="/data/a", sha256="a1"), DataFile(path="/data/b", sha256="b1"))
        known = [(score.metric, score.step, score.signature) for score in run.scores]
        assert known == [("bleu", 2, "nrefs:1"), ("ppl", 2, ""), ("bleu", 4, "nrefs:1")]
        assert [score.value for score in anew.model("de-en").scores] == [20.5]
        assert (other.status, other.model, other.error) == ("interrupted", None, None)
    again = f"sqlite:///{tmp_path / 'again.db'}"
    assert remarks_of(again, runs) == ()  # they have records now
    with Registry(target) as anew, Registry(again) as once_more:
        assert facts_of(once_more) == facts_of(anew)


def test_models_of_before_get_the_numbers_that_are_free(
    source: Registry, start: Start, make: Make, target: str, runs: Path
) -> None:
    source.add_model("de-en", "translation", None, "/elsewhere", "", [])
    source.add_model("de-en", "translation", None, "/elsewhere", "", [])
    make(start("new"))
    write_older(runs / "20260101-000000-aaaaaa", 4)
    write_older(runs / "20260102-000000-bbbbbb", 4)

    rebuild(target, [runs])

    with Registry(target) as anew:
        versions = {model.run_id: model.version for model in anew.models()}
        assert versions == {"20260101-000000-aaaaaa": 1, "20260102-000000-bbbbbb": 2, "new": 3}


# Its place ---------------------------------------------------------------------------------------------


def test_a_registry_in_use_stays_as_it_is(registry: Registry, url: str, runs: Path, facts: Facts) -> None:
    run = registry.start_run(**facts)
    runs.mkdir()

    with pytest.raises(
        StorageError, match=r"is not damaged and has something in it \(runs 1, versions 0\), so it stays"
    ):
        rebuild(url, [runs])

    assert registry.runs() == [run]


@pytest.mark.parametrize("is_open", [False, True])
def test_a_damaged_file_is_kept_and_replaced(
    source: Registry, start: Start, make: Make, runs: Path, tmp_path: Path, is_open: bool
) -> None:
    make(start("a"))
    before = facts_of(source)
    if not is_open:
        source.close()
    file = tmp_path / "registry.db"
    spoilt = bytearray(file.read_bytes())
    spoilt[100:] = b"\xff" * (len(spoilt) - 100)
    file.write_bytes(spoilt)

    kept = [rebuild(f"sqlite:///{file}", [runs]).kept]
    with Registry(f"sqlite:///{file}") as anew:
        assert facts_of(anew) == before
    file.write_text("This is a letter, not a database.")
    kept.append(rebuild(f"sqlite:///{file}", [runs]).kept)

    assert kept == [tmp_path / "registry.db.damaged", tmp_path / "registry.db.damaged.2"]
    assert kept[1].read_text() == "This is a letter, not a database."
    assert {path.name for path in tmp_path.iterdir()} <= {
        *("registry.db", "registry.db-wal", "registry.db-shm", "registry.db.lock", "runs"),
        *(
            "registry.db.damaged",
            "registry.db.damaged-wal",
            "registry.db.damaged-shm",
            "registry.db.damaged.2",
        ),
    }
    assert facts_of(source) == before  # who had it open finds the new one


def test_a_table_that_is_gone_is_damage(source: Registry, start: Start, runs: Path, tmp_path: Path) -> None:
    start("a")
    with closing(sqlite3.connect(tmp_path / "registry.db")) as connection, connection:
        connection.execute("DROP TABLE scores")

    assert rebuild(f"sqlite:///{tmp_path / 'registry.db'}", [runs]).kept is not None
    assert [run.id for run in source.runs()] == ["a"]


def test_the_log_of_a_database_that_is_gone_is_not_taken_for_the_new_ones(
    source: Registry, start: Start, runs: Path, tmp_path: Path
) -> None:
    start("a")
    source.add_model("other", "t", None, "/x", "", [])
    (tmp_path / "registry.db").unlink()  # its log stays, as it is open
    assert (tmp_path / "registry.db-wal").stat().st_size > 0

    rebuild(f"sqlite:///{tmp_path / 'registry.db'}", [runs])

    with closing(sqlite3.connect(tmp_path / "registry.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("SELECT id FROM runs").fetchall() == [("a",)]
        assert connection.execute("SELECT count(*) FROM models").fetchone() == (0,)


def test_another_programs_database_stays(runs: Path, tmp_path: Path) -> None:
    runs.mkdir()
    with closing(sqlite3.connect(tmp_path / "theirs.db")) as connection, connection:
        connection.execute("CREATE TABLE songs (id)")

    with pytest.raises(StorageError, match=r"theirs.db is another program's database; name another place"):
        rebuild(f"sqlite:///{tmp_path / 'theirs.db'}", [runs])
    with pytest.raises(ConfigError, match="in memory ends with the command"):
        rebuild("sqlite://", [runs])
    with pytest.raises(StorageError, match="cannot read it as a folder of runs: No such file"):
        rebuild(f"sqlite:///{tmp_path / 'new.db'}", [tmp_path / "nowhere"])
    assert not (tmp_path / "new.db").exists()
