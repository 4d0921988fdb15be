"""A session under way: each line in the light of those before, and what a terminal and a pipe make of it."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from seqloom.catalog import Catalog
from seqloom.cli.session import converse
from seqloom.errors import DataError, UsageError
from seqloom.predictor import Predictor
from seqloom.session import OpenSession
from seqloom.task import Prediction, Session, Task


class Appending(Session):
    """Asks for all digits so far; what is no digit it refuses."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.given: list[str] = []
        self.heard: list[str] = []

    def ask(self, line: str) -> dict[str, str]:
        if not line.isdigit():
            raise DataError(f"no digit: '{line}'")
        return {"source": " ".join([*self.given, line])}

    def hear(self, prediction: Prediction) -> None:
        self.given = prediction.example.inputs["source"].split()
        self.heard.append(self.task.text(prediction.hypotheses[0]))

    def reset(self) -> None:
        self.given, self.heard = [], []


@pytest.fixture(scope="session")
def predictor(trained: Any, catalog: Catalog) -> Predictor:
    (folder,) = (trained.folder / "runs").glob("*/model")
    return Predictor.load(folder, catalog, device="cpu")


@pytest.fixture
def session(predictor: Predictor) -> Appending:
    return Appending(predictor.kit.task)


@pytest.fixture
def under_way(predictor: Predictor, session: Appending) -> OpenSession:
    how = predictor.decoding(predictor.decode_config(beam=1), predictor.kit.flags)
    return OpenSession(session, how)


def test_each_line_is_decoded_after_those_before(
    predictor: Predictor, under_way: OpenSession, session: Appending
) -> None:
    lines = ["1", " 2\t", "3"]
    found = [under_way.next(line) for line in lines]
    asked = ["1", "1 2", "1 2 3"]
    assert [one.example.inputs["source"] for one in found] == asked
    assert [one.example.id for one in found] == [0, 1, 2]
    assert session.heard == predictor.predict(asked, beam=1)


def test_an_error_leaves_it_as_it_was(under_way: OpenSession, session: Appending) -> None:
    under_way.next("1")
    with pytest.raises(DataError, match="no digit: 'x'"):
        under_way.next("x")
    assert under_way.next("2").example == (1, {"source": "1 2"}, None, [], {})


def test_reset_begins_anew(under_way: OpenSession) -> None:
    under_way.next("1")
    under_way.reset()
    assert under_way.next("2").example == (1, {"source": "2"}, None, [], {})


def test_inputs_of_most_tasks_stand_alone(predictor: Predictor) -> None:
    with pytest.raises(UsageError, match="each input of translation stands alone; use predict"):
        predictor.session()


# On the command line -----------------------------------------------------------------------------------


def asked(predictions: Iterator[Prediction]) -> list[str]:
    return [prediction.example.inputs["source"] for prediction in predictions]


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    def fill(content: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    return fill


def test_a_pipe_is_read_line_by_line(under_way: OpenSession, pipe: Callable[[bytes], None]) -> None:
    pipe(b"1\n2\n /reset\n3\r\n4\n/quit\n5\n")
    assert asked(converse(under_way)) == ["1", "1 2", "3", "3 4"]


def test_a_pipe_ends_where_a_line_cannot_be_used(
    under_way: OpenSession, pipe: Callable[[bytes], None]
) -> None:
    pipe(b"1\nx\n2\n")
    predictions = converse(under_way)
    assert next(predictions).example.inputs == {"source": "1"}
    with pytest.raises(DataError, match=r"<stdin>:2: no digit: 'x'"):
        next(predictions)


def test_without_stdin_nothing_is_said(under_way: OpenSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert asked(converse(under_way)) == []


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("shown", [True, False], ids=["stdout shown", "stdout elsewhere"])
def test_at_a_terminal_it_goes_on_after_errors(
    under_way: OpenSession,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    shown: bool,
) -> None:
    typed = Terminal("1\nx\n/help\n2\n")
    monkeypatch.setattr(sys, "stdin", typed)
    monkeypatch.setattr(sys, "stdout", Terminal() if shown else io.StringIO())
    assert asked(converse(under_way)) == ["1", "1 2"]
    stdout = sys.stdout.getvalue()  # type: ignore[attr-defined]
    stderr = capsys.readouterr().err
    assert stdout == ("> " * 5 if shown else "")
    assert stderr.count("> ") == (0 if shown else 5)
    assert "error: no digit: 'x'\n" in stderr
    assert "error: no command '/help'; there are: /quit, /reset.\n" in stderr
    assert stderr.endswith("\n")


def test_what_is_no_text_is_typed_again(
    under_way: OpenSession, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("1\udcff\n1\n"))
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert asked(converse(under_way)) == ["1"]
    assert "error: this was no UTF-8; type it again\n" in capsys.readouterr().err
