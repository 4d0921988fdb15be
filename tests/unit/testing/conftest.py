"""Runs a contract's tests on a part that may be broken."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Failures = Callable[..., set[str]]
Kept = Callable[..., None]


def follow(contract: type, name: str, folder: Path, said: dict[str, Any]) -> None:
    """Runs one test of a contract where the author says that."""
    test = getattr(type("Tested", (contract,), said)(), name)
    folder.mkdir(exist_ok=True)
    test(**({"tmp_path": folder} if "tmp_path" in inspect.signature(test).parameters else {}))


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    """``kept(Contract, "test_…", build=…)``: fails as that test of the contract does."""
    return lambda contract, name, **said: follow(contract, name, tmp_path / name, said)


@pytest.fixture
def failures(tmp_path: Path) -> Failures:
    """``failures(Contract, build=…)``: the names of its tests that fail where the author says that."""

    def run(contract: type, **said: Any) -> set[str]:
        failed = set()
        for name in dir(contract):
            if name.startswith("test_"):
                try:
                    follow(contract, name, tmp_path / name, said)
                except Exception:
                    failed.add(name.removeprefix("test_"))
        return failed

    return run
