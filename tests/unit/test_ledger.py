"""What a registry that was away is told: in its order, and once."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from seqloom.errors import BusyError, StorageError
from seqloom.ledger import Ledger
from seqloom.registry.database import Database
from seqloom.registry.records import Run, Score
from seqloom.registry.store import Registry
from strikes import IN_A_FILE, Fault

EVALUATIONS = range(5)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with Registry(f"sqlite:///{tmp_path / 'registry.db'}") as opened:
        yield opened


@pytest.fixture
def run(registry: Registry, tmp_path: Path) -> Run:
    facts = {"name": "m", "task": "t", "config": {}, "seed": 1, "device": "cpu", "device_reason": ""}
    (tmp_path / "run").mkdir()
    folder = str(tmp_path / "run")
    return registry.start_run(kind="train", **facts, versions={}, data=[], folder=folder)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def ledger(registry: Registry, run: Run, said: list[str]) -> Ledger:
    return Ledger(registry, run, said.append)


def scores(step: int) -> list[Score]:
    return [Score(metric="ppl", value=2.0, split="valid", step=step, signature="")]


def move(folder: Path, old: str, new: str) -> None:
    """With what belongs to the database: its log and its index of that."""
    for part in ("", "-wal", "-shm"):
        if (folder / (old + part)).exists():
            (folder / (old + part)).rename(folder / (new + part))


def tell_all(ledger: Ledger, folder: Path) -> None:
    ledger.add_scores(scores(1))
    ledger.add_event("skipped", {"step": 1})
    ledger.add_artefact("checkpoint", folder, "def", 3)
    ledger.add_model(folder, "abc", scores(1))
    ledger.end("finished", None)


def test_what_can_be_told_needs_no_file(ledger: Ledger, registry: Registry, tmp_path: Path) -> None:
    tell_all(ledger, tmp_path)
    run = registry.run(ledger.run.id)
    assert (run.status, run.model, len(run.scores)) == ("finished", "models:/m/1", 1)
    [event] = registry.events(run.id)
    assert (event.kind, event.details) == ("skipped", {"step": 1})
    [left] = registry.artefacts(run.id)
    assert (left.kind, left.path, left.sha256, left.bytes) == ("checkpoint", str(tmp_path), "def", 3)
    assert not ledger.file.exists()
    assert ledger.trouble is None


def test_what_cannot_be_told_waits(
    ledger: Ledger, registry: Registry, said: list[str], tmp_path: Path
) -> None:
    move(tmp_path, "registry.db", "away.db")
    tell_all(ledger, tmp_path)
    ended = ledger.end("failed", "why")
    assert (ended.status, ended.error) == ("failed", "why")
    assert isinstance(ledger.trouble, StorageError)
    assert len(said) == 1
    with pytest.raises(StorageError, match="not there any more"):
        ledger.replay()
    move(tmp_path, "away.db", "registry.db")
    ledger.add_scores(scores(2))
    assert ledger.trouble is None
    assert said[1:] == ["the registry is back, and has been told what it missed"]
    run = registry.run(ledger.run.id)
    assert (run.status, run.error, run.ended_at) == ("failed", "why", ended.ended_at)
    assert [score.step for score in run.scores] == [1, 2]
    away, skipped, back = registry.events(run.id)
    assert (away.kind, skipped.kind, back.kind) == ("away", "skipped", "back")
    assert "not there any more" in away.details["reason"]
    assert away.at <= skipped.at < ended.ended_at < back.at
    assert back.details == {"told": 7}
    assert ledger.replay() == 0


def test_what_was_told_before_a_crash_is_there_once(
    ledger: Ledger, registry: Registry, tmp_path: Path
) -> None:
    move(tmp_path, "registry.db", "away.db")
    tell_all(ledger, tmp_path)
    lines = ledger.file.read_text()
    move(tmp_path, "away.db", "registry.db")
    for _ in range(2):
        ledger.file.write_text(lines)  # as if nothing had been struck out
        assert ledger.replay() == 6
    assert len(registry.run(ledger.run.id).scores) == 1
    kinds = [event.kind for event in registry.events(ledger.run.id)]
    assert [kinds.count(kind) for kind in ("away", "skipped")] == [1, 1]
    assert len(registry.artefacts(ledger.run.id)) == 1
    assert [model.version for model in registry.models()] == [1]


def test_a_lock_is_not_waited_for_at_each_evaluation(run: Run, said: list[str], tmp_path: Path) -> None:
    file = tmp_path / "registry.db"
    times = iter([0.0, 0.0, 599.0, 600.0])
    with Registry(f"sqlite:///{file}") as registry:
        registry._opened = Database(f"sqlite:///{file}", lock_timeout_seconds=0.05)
        ledger = Ledger(registry, run, said.append, clock=lambda: next(times))
        with FileLock(f"{file}.lock"):
            ledger.add_scores(scores(1))
            assert isinstance(ledger.trouble, BusyError)
        ledger.add_scores(scores(2))
        assert registry.run(run.id).scores == ()
        ledger.add_scores(scores(3))
        assert ledger.trouble is None
        assert [score.step for score in registry.run(run.id).scores] == [1, 2, 3]


def test_a_registry_without_the_run_is_none(ledger: Ledger, tmp_path: Path) -> None:
    move(tmp_path, "registry.db", "away.db")
    with Registry(f"sqlite:///{tmp_path / 'registry.db'}") as other:
        other.prepare()
        ledger.add_scores(scores(1))
    assert "no run" in str(ledger.trouble)
    assert ledger.way_out().startswith("put the registry back that knows the run, and `seqloom resume ")
    move(tmp_path, "registry.db", "other.db")
    move(tmp_path, "away.db", "registry.db")
    assert ledger.replay() == 2


@pytest.mark.parametrize("kind", IN_A_FILE)
def test_whatever_befalls_a_registry_it_is_told_all_once(
    kind: type[Fault], said: list[str], tmp_path: Path
) -> None:
    chance = random.Random(kind.__name__)
    (tmp_path / "registry").mkdir()
    fault = kind(tmp_path / "registry", chance)
    fault.prepare()
    try:
        run = live_through(fault, chance, tmp_path, said)
        with Registry(fault.url) as registry:
            known = registry.run(run.id)
            assert (known.status, known.model) == ("finished", "models:/m/1")
            assert [score.step for score in known.scores] == list(EVALUATIONS)
            assert [model.version for model in registry.models()] == [1]
            events = [event.kind for event in registry.events(run.id)]
            assert events.count("skipped") == 1
            assert [left.kind for left in registry.artefacts(run.id)] == ["checkpoint"]
    finally:
        fault.close()


def live_through(fault: Fault, chance: random.Random, folder: Path, said: list[str]) -> Run:
    """A training meets a fault before one of the things that it tells; it is over before another."""
    with Registry(fault.url) as registry:
        registry._opened = Database(fault.url, lock_timeout_seconds=0.05)
        facts = {"name": "m", "task": "t", "config": {}, "seed": 1, "device": "cpu", "device_reason": ""}
        run = registry.start_run(kind="train", **facts, versions={}, data=[], folder=str(folder))
        ledger = Ledger(registry, run, said.append, clock=iter(range(0, 10**9, 1000)).__next__)
        acts: list[Callable[[], object]] = [
            *(lambda step=step: ledger.add_scores(scores(step)) for step in EVALUATIONS),
            lambda: ledger.add_event("skipped", {"step": 1}),
            lambda: ledger.add_artefact("checkpoint", folder, "def", 3),
            lambda: ledger.add_model(folder, "abc", scores(1)),
            lambda: ledger.end("finished", None),
        ]
        begins = chance.randrange(len(acts) - 1)
        ends = chance.randint(begins + 1, len(acts) - 1)
        acts[ends:ends] = [fault.mend]
        acts[begins:begins] = [fault.strike]
        for act in acts:
            act()
    return run
