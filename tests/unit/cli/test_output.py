from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from datetime import UTC, datetime

import pytest

from seqloom.cli.output import duration, moment, note, print_json, print_table

NOON = datetime(2026, 11, 21, 12, 0, 5, tzinfo=UTC)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "30")


def test_json_is_data_and_a_note_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"name": "Übung"})
    note("done")

    out, err = capsys.readouterr()
    assert "Übung" in out
    assert json.loads(out) == {"name": "Übung"}
    assert err == "done\n"


def test_pipe_gets_whole_rows_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    long = "x" * 300
    print_table(("a", "b"), [("[red]1[/red]", long), (":smile:", "2")])

    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [["a", "b"], ["[red]1[/red]", long], [":smile:", "2"]]


def test_terminal_folds_what_does_not_fit() -> None:
    with redirect_stdout(Terminal()) as terminal:
        print_table(("a", "b"), [("1", "x" * 50)])

    text = terminal.getvalue()
    assert "\x1b[1m" in text
    assert text.count("x") == 50
    assert len(text.splitlines()) > 2


def test_moments_and_durations() -> None:
    assert moment(NOON) == "2026-11-21 12:00:05"
    assert duration(NOON, None) == ""
    assert duration(NOON, NOON.replace(hour=14, microsecond=600_000)) == "2:00:01"
