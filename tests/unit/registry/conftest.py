from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from seqloom.registry.store import Registry

DAY = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'registry.db'}"


@pytest.fixture
def registry(url: str) -> Iterator[Registry]:
    """A registry whose clock goes on by a minute at each look, from 2026-11-21 00:00 UTC."""
    minutes = count()
    with Registry(url, clock=lambda: DAY + timedelta(minutes=next(minutes))) as opened:
        yield opened


@pytest.fixture
def facts() -> dict[str, Any]:
    return {
        "kind": "train",
        "name": "de-en",
        "task": "translation",
        "config": {"train": {"steps": 8000, "betas": [0.9, 0.98]}, "umlaut": "ä"},
        "seed": 2**62,
        "device": "cpu",
        "device_reason": "no GPU was found",
        "versions": {"python": "3.11.7", "torch": "2.11.0"},
        "data": {"train.de": "ab12"},
    }
