"""Whatever texts and numbers the registry is given: it does what it says, or says why not."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import strangers
from seqloom.errors import ConfigError, UsageError
from seqloom.registry.records import DataFile, Score
from seqloom.registry.store import Registry

MOMENTS = (
    None,
    datetime.min.replace(tzinfo=UTC),
    datetime.max.replace(tzinfo=UTC),
    datetime(2026, 1, 1, tzinfo=UTC),
)
RUN, MODEL = "r1", "de-en"


class Stranger:
    """Somebody who asks and tells a registry what nobody should.

    Args:
        registry: Which has a run and a model.
        chance: What comes to their mind.
        facts: Of a run.
    """

    def __init__(self, registry: Registry, chance: random.Random, facts: dict[str, Any]) -> None:
        self.registry = registry
        self.chance = chance
        self.facts = facts

    def act(self) -> str:
        """Does something; says what."""
        verbs = [name for name in vars(Stranger) if name.startswith("do_")]
        verb = self.chance.choice(verbs)
        getattr(self, verb)()
        return verb

    def _text(self, *others: Any) -> Any:
        return self.chance.choice((*others, strangers.text(self.chance)))

    def _number(self, *others: Any) -> Any:
        return self.chance.choice((*others, strangers.number(self.chance)))

    def _moment(self) -> datetime | None:
        return self.chance.choice(MOMENTS)

    def _score(self) -> Score:
        value = self.chance.choice((1.0, float("nan"), float("inf"), 1e308))
        parts = {self._text(): self._number()}
        names = {"metric": self._text(), "split": self._text(), "signature": self._text()}
        return Score(value=value, step=self._number(), parts=parts, **names)

    def _data(self) -> DataFile:
        sizes = {"bytes": self._number(None), "rows": self._number(None)}
        return DataFile(path=self._text(), sha256=self._text(), split=self._text(), **sizes)

    def _query(self) -> str | None:
        text = self._text()
        return self.chance.choice(
            (None, text, f"{text} = {self._text()}", f"`{text}` like '{self._text()}'")
        )

    # Runs ----------------------------------------------------------------------------------------------

    def do_start_run(self) -> None:
        texts = ("name", "task", "device", "device_reason", "folder", "model")
        maps = ("config", "versions", "environment", "git")
        facts = {name: self._text() for name in texts} | {
            name: {self._text(): self._text()} for name in maps
        }
        id_ = {"id": self._text()} if self.chance.random() < 0.5 else {}
        self.registry.start_run(
            **self.facts | facts | id_ | {"seed": self._number(), "data": [self._data()]}
        )

    def do_end_run(self) -> None:
        self.registry.end_run(self._text(RUN), "failed", self._text(None), self._moment())

    def do_reopen_run(self) -> None:
        self.registry.reopen_run(self._text(RUN))

    def do_add_scores(self) -> None:
        self.registry.add_scores(self._text(RUN), [self._score()])

    def do_add_data(self) -> None:
        self.registry.add_data(self._text(RUN), [self._data()])

    def do_add_artefact(self) -> None:
        facts = {"kind": self._text(), "path": self._text(), "sha256": self._text()}
        self.registry.add_artefact(self._text(RUN), **facts, size_bytes=self._number(), at=self._moment())

    def do_add_event(self) -> None:
        details = {self._text(): self._text(), "number": self._number(), "nan": float("nan")}
        self.registry.add_event(self._text(RUN), self._text(), details, self._moment())

    def do_look(self) -> None:
        look = (self.registry.run, self.registry.events, self.registry.artefacts, self.registry.model)
        self.chance.choice(look)(self._text())

    def do_list(self) -> None:
        last = self._text(None, RUN, MODEL)
        list_ = self.chance.choice((self.registry.runs, self.registry.models))
        list_(self._query(), self._number(None), after=last, deleted=self.chance.random() < 0.5)

    def do_tag(self) -> None:
        key, value = self._text("key"), self._text(None)
        tag, owner = self.chance.choice(((self.registry.tag_run, RUN), (self.registry.tag_model, MODEL)))
        tags = tag(self._text(owner), {key: value}).tags
        assert tags.get(key) == value

    def do_note(self) -> None:
        said = self._text()
        note, owner = self.chance.choice(((self.registry.note_run, RUN), (self.registry.note_model, MODEL)))
        assert note(self._text(owner), said).notes[-1].text == said

    def do_delete(self) -> None:
        verbs = ("delete_run", "restore_run", "delete_model", "restore_model")
        getattr(self.registry, self.chance.choice(verbs))(self._text())

    # Models --------------------------------------------------------------------------------------------

    def do_add_model(self) -> None:
        facts = {"task": self._text(), "folder": self._text(), "sha256": self._text()}
        scores = [self._score()]
        model = self.registry.add_model(
            name=self._text(MODEL), run_id=self._text(None, RUN), scores=scores, **facts
        )
        assert self.registry.model(model.uri).uri == model.uri

    def do_set_alias(self) -> None:
        alias, expected = self._text(), self._number("any", "none")
        model = self.registry.set_alias(self._text(MODEL), self._number(1), alias, expected=expected)
        assert self.registry.model(f"{model.name}@{alias}") == model

    def do_remove_alias(self) -> None:
        self.registry.remove_alias(self._text(MODEL), self._text(), expected=self._number("any", "none"))

    def do_alias_history(self) -> None:
        self.registry.alias_history(self._text(MODEL), self._text(None))


def molest(url: str, facts: dict[str, Any], folder: Path, times: int, seed: int) -> Counter[str]:
    """A stranger at a registry: each time it does what it is told, or says why not; and nothing beside it."""
    outcomes: Counter[str] = Counter()
    with Registry(url) as registry:
        registry.start_run(**facts | {"id": RUN})
        registry.add_model(name=MODEL, task="t", run_id=RUN, folder="/f", sha256="1", scores=())
        before = {path for path in folder.rglob("*") if not path.name.startswith("registry.db")}
        stranger = Stranger(registry, random.Random(seed), facts)
        for _ in range(times):
            try:
                outcomes[stranger.act()] += 1
            except (
                ConfigError,
                UsageError,
            ) as error:  # never StorageError, which says that the disk is at fault
                outcomes[type(error).__name__] += 1
        assert all(registry.run(run.id) == run for run in registry.runs(deleted=True))
        assert all(registry.model(model.uri) == model for model in registry.models(deleted=True))
    assert {path for path in folder.rglob("*") if not path.name.startswith("registry.db")} == before
    return outcomes


def test_hostile_texts_are_kept_or_refused(url: str, facts: dict[str, Any], tmp_path: Path) -> None:
    outcomes = molest(url, facts, tmp_path, times=100, seed=1)
    assert min(outcomes["ConfigError"], outcomes.total() - outcomes["ConfigError"]) > 10


@pytest.mark.faults
def test_five_thousand_hostile_texts_are_kept_or_refused(
    url: str, facts: dict[str, Any], tmp_path: Path
) -> None:
    assert molest(url, facts, tmp_path, times=5000, seed=2).total() == 5000


@pytest.mark.parametrize("text", strangers.QUERIES)
def test_hostile_queries_are_answered_or_refused(looked: Callable[[str], int], text: str) -> None:
    with suppress(UsageError):
        assert looked(text) in {0, 1}


@pytest.fixture(scope="module")
def looked(new_url: Callable[[], str], facts: dict[str, Any]) -> Any:
    """How many runs fit a query."""
    with Registry(new_url()) as registry:
        registry.start_run(**facts)
        yield lambda text: len(registry.runs(text))
