"""What the tests share: a place to work in, and helpers beside the tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where one works, with a registry and runs of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEQLOOM_CACHE", raising=False)
    monkeypatch.setenv("SEQLOOM_REGISTRY", f"sqlite:///{tmp_path / 'registry.db'}")
    monkeypatch.setenv("SEQLOOM_RUNS", str(tmp_path / "runs"))
    return tmp_path
