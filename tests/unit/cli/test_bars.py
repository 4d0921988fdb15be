"""Bars on a terminal, lines elsewhere."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from seqloom.cli import bars
from seqloom.registry.records import Score


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
