from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from seqloom.registry.records import DataFile
from seqloom.registry.store import Registry

DAY = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'registry.db'}"


@pytest.fixture(scope="session")
def new_clock() -> Callable[[], Callable[[], datetime]]:
    """Makes clocks that go on by a minute at each look, from 2026-11-21 00:00 UTC."""

    def new() -> Callable[[], datetime]:
        minutes = count()
        return lambda: DAY + timedelta(minutes=next(minutes))

    return new


@pytest.fixture
def registry(url: str, new_clock: Callable[[], Callable[[], datetime]]) -> Iterator[Registry]:
    with Registry(url, clock=new_clock()) as opened:
        yield opened


@pytest.fixture(scope="session")
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
        "data": (DataFile(path="train.de", sha256="ab12", split="train", bytes=10, rows=2),),
    }
