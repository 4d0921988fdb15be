"""Jobs of a task without a plugin, and how they are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from seqloom.catalog import Catalog
from seqloom.errors import ConfigError
from seqloom.jobfile import Job, load_job

DATA = """\
data:
  train: {source: train.a, target: train.b}
  valid: {source: valid.a, target: valid.b}
"""
ECHO = "task: echo\npreset: tiny\n" + DATA

Load = Callable[..., Job]


@pytest.fixture
def catalog(parts: Path) -> Catalog:
    return Catalog.discover()


@pytest.fixture
def load(catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """``load(text, "key=value")`` reads a job file job.yaml in the working folder."""
    monkeypatch.chdir(tmp_path)

    def load(text: str = ECHO, *overrides: str) -> Job:
        Path("job.yaml").write_text(text)
        return load_job(Path("job.yaml"), catalog, overrides)

    return load


@pytest.fixture
def refusal(load: Load) -> Callable[..., list[str]]:
    """The lines in which a job is refused."""

    def refusal(text: str, *overrides: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load(text, *overrides)
        assert "pydantic" not in str(caught.value)
        return str(caught.value).splitlines()

    return refusal
