"""What a plugin's code does ends there: whatever it raises, and whatever it does to the process."""

from __future__ import annotations

import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seqloom.containment import Flaw, attempt, contain
from seqloom.errors import Interrupted


def raising(error: BaseException) -> Callable[[], Any]:
    def run() -> Any:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("no\nline"), "trying raised ValueError: no line"),
        (SystemExit(3), "trying raised SystemExit: 3"),
        (KeyboardInterrupt(), "trying raised KeyboardInterrupt"),
        (Interrupted("me"), "trying raised Interrupted: me"),
        (Flaw("as it is"), "as it is"),
    ],
)
def test_whatever_it_raises_is_a_flaw(error: BaseException, told: str) -> None:
    with pytest.raises(Flaw) as caught:
        attempt("trying", raising(error))
    assert str(caught.value) == told


def test_no_signal_comes_to_another_thread() -> None:
    found: list[BaseException] = []

    def run() -> None:
        try:
            contain("trying", raising(KeyboardInterrupt()), [])
        except BaseException as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert [str(error) for error in found] == ["trying raised KeyboardInterrupt"]


def test_a_signal_that_nobody_minds_ends_nothing() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert attempt("trying", lambda: os.kill(os.getpid(), signal.SIGINT)) is None
    finally:
        signal.signal(signal.SIGINT, before)


def test_all_at_once_is_told_and_undone(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def run() -> int:
        print("hello")  # noqa: T201
        warnings.warn("mind this", stacklevel=1)
        warnings.warn("for authors", DeprecationWarning, stacklevel=1)
        os.chdir(tmp_path)
        os.environ["SEQLOOM_TEST"] = "1"
        sys.path.append("nowhere")
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        sys.stderr = sys.stdin = None  # type: ignore[assignment]
        return 3

    faults: list[str] = []
    before = (Path.cwd(), dict(os.environ), list(sys.path), sys.stdin, sys.stdout, sys.stderr)
    assert contain("it", run, faults) == 3
    assert before == (Path.cwd(), dict(os.environ), list(sys.path), sys.stdin, sys.stdout, sys.stderr)
    assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL
    assert faults == [
        "it prints 'hello'",
        "it changes sys.stdin; that was undone",
        "it changes sys.stderr; that was undone",
        "it changes sys.path; that was undone",
        "it changes the working folder; that was undone",
        "it changes environment variables (SEQLOOM_TEST); that was undone",
        "it changes signal handlers (SIGUSR1); that was undone",
        "it warns: UserWarning: mind this",
    ]
    assert capfd.readouterr() == ("", "hello\n")


def test_what_fails_is_undone_as_well() -> None:
    def run() -> None:
        os.environ["SEQLOOM_TEST"] = "1"
        raise ValueError

    faults: list[str] = []
    with pytest.raises(Flaw, match=r"^it raised ValueError$"):
        contain("it", run, faults)
    assert faults == ["it changes environment variables (SEQLOOM_TEST); that was undone"]
    assert "SEQLOOM_TEST" not in os.environ


def test_what_does_nothing_else_has_no_faults() -> None:
    faults: list[str] = []
    assert contain("it", lambda: 3, faults) == 3
    assert faults == []


def test_who_closes_stdout_or_prints_much_stops_nobody(capfd: pytest.CaptureFixture[str]) -> None:
    faults: list[str] = []

    def run() -> None:
        for _ in range(100):
            print("a long line of words", flush=True)  # noqa: T201
        sys.stdout.close()

    contain("it", run, faults)
    (told,) = faults
    assert told.endswith("…'")
    assert len(told) < 330
    assert capfd.readouterr().err.count("\n") == 100
    print("still here")  # noqa: T201
