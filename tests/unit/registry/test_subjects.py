from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from family import FACTS, add_family, file, score, sha

from seqloom.errors import ConfigError
from seqloom.registry.comparison import Subject
from seqloom.registry.records import Score
from seqloom.registry.store import Registry


@pytest.fixture(scope="module")
def family(new_clock: Callable[[], Callable[[], datetime]]) -> Iterator[Registry]:
    """All of them; do not change it."""
    with Registry("sqlite://", clock=new_clock()) as opened:
        add_family(opened)
        opened.delete_run("judging-tuned")
        yield opened


def figures(subject: Subject) -> list[tuple[Score, tuple[str, ...]]]:
    return [(one.score, one.data) for one in subject.scores]


def test_a_run_is_itself(family: Registry) -> None:
    subject = family.subject("judging")

    assert (subject.name, subject.run) == ("judging", family.run("judging"))
    assert [one.score for one in subject.scores] == list(family.run("judging").scores)
    assert {one.data for one in subject.scores} == {(sha("d"),)}


def test_a_model_has_its_scores_and_those_of_its_evaluations(family: Registry) -> None:
    subject = family.subject("teacher@champion")

    assert (subject.name, subject.run) == ("models:/teacher/1", family.run("teaching"))
    assert figures(subject) == [
        (score(30.0), ()),
        (score(28.0, "test", step=100), (sha("d"),)),
        (score(29.5, "test"), (sha("d"),)),
        (score(3.0, "test", "nearest/bleu"), (sha("d"),)),
        (score(7.25, "test", "wer"), (sha("d"),)),
    ]


def test_scores_of_a_run_at_other_steps_are_not_its_models(registry: Registry) -> None:
    registry.start_run(**FACTS, id="one", kind="train", data=[file("v", "a", "valid")])
    registry.add_scores("one", [score(30.0, step=200), score(29.0, step=300)])
    registry.add_model("x", "translation", "one", "/x", "m", [score(30.0, step=200)])

    assert figures(registry.subject("x")) == [(score(30.0, step=200), (sha("a"),))]
    assert len(registry.subject("one").scores) == 2


def test_evaluations_that_are_deleted_do_not_count(family: Registry) -> None:
    assert family.subject("tuned").scores == ()


def test_a_run_may_be_called_by_its_uri(family: Registry) -> None:
    assert family.subject("runs:/teaching").name == "models:/teacher/1"
    assert family.subject("runs:/judging").name == "judging"
    with pytest.raises(ConfigError, match="no model and no run 'x'"):
        family.subject("x")


def test_a_model_without_a_run(registry: Registry) -> None:
    registry.add_model("old", "translation", None, "/x", "m", [score(20.0)])

    assert registry.subject("old") == Subject(
        name="models:/old/1", run=None, scores=registry.subject("old").scores
    )
    assert figures(registry.subject("old")) == [(score(20.0), ())]
