"""Every error has its exit code, the one that the documentation's table says, and no traceback unasked."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from seqloom import __version__, errors
from seqloom.catalog import COMMANDS, Catalog
from seqloom.cli.main import build_app, main

PAGE = Path(__file__).parents[3] / "docs" / "cli.md"
CASES: list[tuple[BaseException, int]] = [
    (errors.UsageError("told"), 2),
    (errors.DivergedError("told"), 3),
    (errors.DataError("told", "a.txt", 3), 65),
    (errors.LostError("told"), 69),
    (ZeroDivisionError("told\ntwice"), 70),
    (errors.StorageError("told"), 74),
    (errors.CorruptError("told"), 74),
    (OSError(28, "told"), 74),
    (MemoryError("told"), 74),
    (errors.MemoryShortError("told"), 74),
    (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), 74),
    (errors.LostError("told"), 69),
    (errors.BusyError("told"), 75),
    (errors.ConfigError("told"), 78),
    (errors.PluginError("told"), 78),
    (errors.Interrupted("told", signal.SIGINT), 130),
    (KeyboardInterrupt("told"), 130),
    (BrokenPipeError("told"), 141),
    (errors.Interrupted("told", signal.SIGTERM), 143),
]


def ended(catalog: Catalog, error: BaseException, *options: str) -> Result:
    """What becomes of a command that raises an error."""
    app = build_app(catalog)

    @app.command("fail")
    def fail() -> None:
        raise error

    return CliRunner().invoke(app, [*options, "fail"])


@pytest.mark.parametrize(("error", "code"), CASES, ids=lambda value: type(value).__name__)
def test_an_error_ends_in_its_code(catalog: Catalog, error: BaseException, code: int) -> None:
    result = ended(catalog, error)
    assert result.exit_code == code
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert len(result.stderr.splitlines()) == (0 if isinstance(error, BrokenPipeError) else 1)


@pytest.mark.parametrize(("error", "code"), CASES, ids=lambda value: type(value).__name__)
def test_what_another_rank_tells_ends_in_its_code_without_a_word(
    catalog: Catalog, error: BaseException, code: int
) -> None:
    result = ended(catalog, errors.ToldError(error))
    assert (result.exit_code, result.output) == (code, "")


def test_a_bug_says_that_it_is_one_and_how_to_see_more(catalog: Catalog) -> None:
    error = ZeroDivisionError("told\ntwice")
    assert "this is a bug, run with --debug" in ended(catalog, error).stderr
    assert "ZeroDivisionError: told twice" in ended(catalog, error).stderr
    assert "Traceback" in ended(catalog, error, "--debug").stderr


def test_the_documentation_lists_every_code() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("## Exit codes")[2]
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)}
    assert documented == {0, 1} | {code for _, code in CASES} - {141}
    assert "141" in table


# The root ----------------------------------------------------------------------------------------------


def test_help_lists_every_command_and_verb(catalog: Catalog) -> None:
    told = CliRunner().invoke(build_app(catalog), ["--help"]).stdout.partition("Commands:")[2]
    listed = {line.split()[0] for line in told.splitlines() if re.match("  [a-z]", line)}
    assert listed == COMMANDS | {spec.verb for spec in catalog.specs("task")}


def test_version(catalog: Catalog) -> None:
    result = CliRunner().invoke(build_app(catalog), ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"seqloom {__version__}\n")


def test_a_plugin_set_aside_is_warned_of_and_a_disabled_one_is_not(
    install: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, workplace: Any
) -> None:
    install("broken", "raise ImportError('no libfoo')")
    monkeypatch.setenv("SEQLOOM_DISABLE", "text")
    result = CliRunner().invoke(build_app(Catalog.from_environment()), ["models", "list"])
    warning = (
        "plugin 'broken' (seqloom-broken 0.1) was set aside: importing it raised ImportError: no libfoo"
    )
    assert result.stderr == f"warning: {warning}\nno models\n"
    assert result.exit_code == 0


# The console script ------------------------------------------------------------------------------------


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., int]]:
    """``console("--version")``: what the script's process would end with."""
    before = signal.getsignal(signal.SIGTERM)

    def run(*words: str) -> int:
        monkeypatch.setattr("sys.argv", ["seqloom", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    yield run
    signal.signal(signal.SIGTERM, before)


def test_the_script_runs_a_command(console: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert console("--version") == 0
    assert capsys.readouterr().out == f"seqloom {__version__}\n"
    assert console("no-such-command") == 2


def test_the_script_reports_what_happens_before_any_command(
    console: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def terminated(text: str) -> object:
        os.kill(os.getpid(), signal.SIGTERM)
        raise AssertionError(text)

    monkeypatch.setattr(Catalog, "from_environment", lambda: terminated("the signal came to nothing"))
    assert console("plugins", "list") == 143
    assert capsys.readouterr().err == "terminated\n"
    assert console("--debug", "plugins", "list") == 143
    assert "Traceback" in capsys.readouterr().err
