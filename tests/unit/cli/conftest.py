"""The command line in process."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from seqloom.catalog import Catalog
from seqloom.cli.main import build_app

Seqloom = Callable[..., Result]


@pytest.fixture(scope="session")
def seqloom() -> Seqloom:
    """``seqloom("plugins", "list", code=0)``: runs a command with the plugins of this moment."""

    return lambda *words, code=0: invoke(build_app(Catalog.from_environment()), *words, code=code)


@pytest.fixture(scope="session")
def commands() -> Seqloom:
    """As ``seqloom``, with the plugins of the first moment: to look for them takes longer than a command."""
    app = build_app(Catalog.from_environment())
    return lambda *words, code=0, stdin=None: invoke(app, *words, code=code, stdin=stdin)


def invoke(app: Typer, *words: object, code: int, stdin: bytes | None = None) -> Result:
    result = CliRunner().invoke(app, [str(word) for word in words], input=stdin)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.stderr
    return result
