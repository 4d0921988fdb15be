"""The command line in process."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from seqloom.catalog import Catalog
from seqloom.cli.main import build_app

Seqloom = Callable[..., Result]


@pytest.fixture(scope="session")
def seqloom() -> Seqloom:
    """``seqloom("plugins", "list", code=0)``: runs a command with the plugins of this moment."""

    def run(*words: object, code: int = 0) -> Result:
        result = CliRunner().invoke(build_app(Catalog.from_environment()), [str(word) for word in words])
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.stderr
        return result

    return run
