"""Every error has its exit code, the one that the documentation's table says, and no traceback unasked."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from seqloom import errors
from seqloom.catalog import Catalog
from seqloom.cli.main import build_app

PAGE = Path(__file__).parents[3] / "docs" / "cli.md"
CASES: list[tuple[BaseException, int]] = [
    (errors.UsageError("told"), 2),
    (errors.DivergedError("told"), 3),
    (errors.DataError("told", "a.txt", 3), 65),
    (ZeroDivisionError("told\ntwice"), 70),
    (errors.StorageError("told"), 74),
    (errors.CorruptError("told"), 74),
    (OSError(28, "told"), 74),
    (MemoryError("told"), 74),
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
