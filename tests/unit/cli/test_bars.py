"""Bars on a terminal, lines elsewhere."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from seqloom.cli import bars
from seqloom.data.manifest import Located
from seqloom.registry.records import Score
from seqloom.task import Example, Prediction


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> io.StringIO:
    """What appears on a console that is a terminal, or none."""
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=request.param, width=100, highlight=False)
    monkeypatch.setattr(bars, "console", console)
    monkeypatch.setattr(bars, "LINE_EVERY", 2000)
    return stream


def watched() -> bars.Bars:
    made = bars.Bars()
    with made.progress, made.watch("preparing") as tell:
        for examples in (1000, 2000, 3000):
            tell(examples, examples / 4000)
        made.progress.refresh()
    return made


@pytest.mark.parametrize("shown", [False], indirect=True)
def test_a_pass_over_files_is_told_in_lines(shown: io.StringIO) -> None:
    watched()
    (line,) = shown.getvalue().splitlines()
    assert line.startswith("preparing: 2,000 examples, 50% of the files, ")
    assert line.endswith("/s")


@pytest.mark.parametrize("shown", [True], indirect=True)
def test_a_pass_over_files_is_a_bar_on_a_terminal(shown: io.StringIO) -> None:
    made = watched()
    assert "3,000" in shown.getvalue()
    assert "examples" not in shown.getvalue()
    assert made.progress.tasks == []


@pytest.mark.parametrize("shown", [True], indirect=True)
def test_the_bar_of_a_training_comes_with_its_first_step(shown: io.StringIO) -> None:
    made = bars.Bars()
    bar = bars.TrainingBar(made, 50)
    with made.progress:
        made.progress.refresh()
        assert "training" not in shown.getvalue()
        bar.stepped(3)
        bar.logged({"loss": 1.25, "targets_per_second": 1234.0})
        made.progress.refresh()
        bar.noticed({"step": 3, "event": "skipped", "reason": "the loss is nan"})
        bar.evaluated(3, [Score(metric="bleu", value=1.5, split="valid", step=3, signature="")])
    text = shown.getvalue()
    assert "3/50" in text
    assert "loss 1.250, 1,234 targets/s" in text
    assert "step 3 was skipped: the loss is nan" in text
    assert "step 3: bleu 1.50" in text


# Pieces ------------------------------------------------------------------------------------------------


def located(name: str, number: int = 0) -> Located:
    return Located(Example(number, {"speech": name}, None, []))


@pytest.mark.parametrize("shown", [True], indirect=True)
def test_a_long_input_has_a_bar_until_its_last_piece(shown: io.StringIO) -> None:
    with bars.PieceBars() as made:
        assert shown.getvalue() == ""
        for done in (0, 1, 2):
            made(located("talks/[red] talk.flac"), done, 3)
        made.progress.refresh()
        assert "[red] talk.flac" in shown.getvalue()
        assert "2/3" in shown.getvalue()
        made(located("talks/[red] talk.flac"), 3, 3)
        assert made.progress.tasks == []
    assert "going on" not in shown.getvalue()


@pytest.mark.parametrize("shown", [True, False], indirect=True)
def test_it_is_said_from_where_an_input_goes_on(shown: io.StringIO) -> None:
    with bars.PieceBars() as made:
        made(located("a" * 50), 36, 212)
        made(located("a" * 50), 37, 212)
        made(located("b.flac", 1), 5, 5)
        made(located("A text\nof two  lines", 2), 1, 1)
        assert len(made.progress.tasks) == 1
        made(located("a" * 50), 212, 212)
    assert f"{'a' * 39}…: going on from piece 37 of 212\n" in shown.getvalue()
    assert "b.flac: going on from piece 5 of 5\n" in shown.getvalue()
    assert "A text of two lines: going on from piece 1 of 1\n" in shown.getvalue()
    assert shown.getvalue().count("going on") == 3


@pytest.mark.parametrize("shown", [False], indirect=True)
@pytest.mark.parametrize("begun", [True, False])
def test_what_ends_too_soon_may_go_on(shown: io.StringIO, begun: bool) -> None:
    def stopped() -> None:
        with bars.PieceBars() as made:
            if begun:
                made(located("a.flac"), 0, 2)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    kept = "what is done is kept: the same command goes on from there\n"
    assert shown.getvalue() == (kept if begun else "")


@pytest.mark.parametrize("shown", [True], indirect=True)
def test_the_terminal_is_for_who_has_a_prediction(shown: io.StringIO) -> None:
    predictions = [Prediction(located("a.flac").example, [])] * 2
    with bars.PieceBars() as made:
        made(located("b.flac"), 1, 2)
        for _ in made.aside(predictions):
            assert not made.progress.live.is_started
        assert made.progress.live.is_started
    assert "1/2" in shown.getvalue()
