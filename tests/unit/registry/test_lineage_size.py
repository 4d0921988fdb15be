"""How much of a lineage is shown, and what it takes to find it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
from family import FACTS, add_family, add_judgement, add_teacher, add_tuned, file, sha
from sqlalchemy import event

from seqloom.errors import UsageError
from seqloom.registry.lineage import AT_ONCE, MOST
from seqloom.registry.records import Lineage, LineageNode
from seqloom.registry.store import Registry

WRITTEN = f"data:{sha('f')}"
Clock = Callable[[], datetime]


@pytest.fixture
def memory(new_clock: Callable[[], Clock]) -> Iterator[Registry]:
    """An empty one, in memory: much is written here, and nothing to be kept."""
    with Registry("sqlite://", clock=new_clock()) as opened:
        yield opened


def node(lineage: Lineage, node_id: str) -> LineageNode:
    [found] = [one for one in lineage.nodes if one.id == node_id]
    return found


def ids(lineage: Lineage) -> list[str]:
    return [one.id for one in lineage.nodes]


@contextmanager
def statements(memory: Registry) -> Iterator[list[str]]:
    """What the database is asked meanwhile."""
    asked: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        asked.append(statement)

    with memory._reading() as session:
        engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    yield asked
    event.remove(engine, "before_cursor_execute", note)


def test_what_is_too_much_is_counted(memory: Registry) -> None:
    add_teacher(memory)
    for number in range(23):
        add_judgement(memory, f"judging-{number}", "models:/teacher/1")

    lineage = memory.lineage("teacher")
    shown = [one for one in ids(lineage) if one.startswith("run:judging")]
    assert shown == [f"run:judging-{number}" for number in range(3, 23)]
    rest = lineage.nodes[-1]
    assert (rest.kind, rest.label) == ("more", "3 more evaluate runs")
    assert (rest.id, rest.details["count"]) == ("more:evaluate runs:models:/teacher/1", "3")
    assert ("models:/teacher/1", rest.id) in lineage.edges
    assert len(memory.lineage("teacher", limit=23).nodes) == 5 + 23
    with pytest.raises(UsageError, match="at least 1 of a kind, and 0 was asked for"):
        memory.lineage("teacher", limit=0)


def test_each_kind_is_counted_for_itself(memory: Registry) -> None:
    add_family(memory)
    for number in range(3):
        add_judgement(memory, f"more-{number}", "models:/teacher/1")
        add_tuned(memory, f"tuning-{number}", "models:/teacher/1")

    lineage = memory.lineage("teacher", limit=1)
    rest = {one.id: one.label for one in lineage.nodes if one.kind == "more"}
    assert {"run:telling", "run:more-2", "run:tuning-2"} <= set(ids(lineage))
    assert rest["more:evaluate runs:models:/teacher/1"] == "3 more evaluate runs"
    assert rest["more:train runs:models:/teacher/1"] == "2 more train runs"
    assert rest["more:train data:run:teaching"] == "1 more train data"
    assert ("more:train data:run:teaching", "run:teaching") in lineage.edges


def test_what_runs_left_is_counted(memory: Registry) -> None:
    add_teacher(memory)
    for number in range(3):
        path = f"/runs/teaching/checkpoints/{number}"
        memory.add_artefact("teaching", kind="checkpoint", path=path, sha256=f"{number}", size_bytes=1)
        memory.start_run(**FACTS, id=f"telling-{number}", kind="decode", data=[], model="models:/teacher/1")
        memory.add_artefact(
            f"telling-{number}", kind="predictions", path="/elsewhere/x", sha256=sha("f"), size_bytes=7
        )
    memory.start_run(**FACTS, id="learning", kind="train", data=[file("x", "f", "train")])

    lineage = memory.lineage("teacher", limit=2)
    assert node(lineage, "more:checkpoints:run:teaching").label == "2 more checkpoints"
    assert len([one for one in lineage.nodes if one.kind == "checkpoint"]) == 2
    lineage = memory.lineage("learning", limit=2)
    assert node(lineage, f"more:that are the same:{WRITTEN}").label == "1 more that are the same"
    assert (f"more:that are the same:{WRITTEN}", WRITTEN) in lineage.edges


def test_questions_do_not_grow_with_what_is_found(memory: Registry) -> None:
    add_teacher(memory)
    counts = []
    for start, end in ((0, 1), (1, 20)):
        for number in range(start, end):
            add_judgement(memory, f"judging-{number}", "models:/teacher/1")
        with statements(memory) as asked:
            assert len(memory.lineage("teacher").nodes) == 5 + end
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_a_long_chain_ends_somewhere(memory: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqloom.registry.lineage.MOST", 12)
    add_teacher(memory)
    add_tuned(memory, "tuning-1", "models:/teacher/1")
    for number in range(2, 9):
        add_tuned(memory, f"tuning-{number}", f"models:/tuned/{number - 1}")

    lineage = memory.lineage("teacher")
    rest = node(lineage, "more:after")
    assert len(lineage.nodes) == 13
    assert rest.label == "not followed further"
    assert [cause for cause, effect in lineage.edges if effect == rest.id] == ["run:tuning-4"]
    assert node(memory.lineage("tuned/8"), "more:before").kind == "more"
    assert AT_ONCE < MOST


def test_more_than_one_statement_takes(memory: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    add_family(memory)
    whole = memory.lineage("teacher")
    assert len(whole.nodes) == 14
    monkeypatch.setattr("seqloom.registry.lineage.AT_ONCE", 1)

    assert memory.lineage("teacher") == whole
