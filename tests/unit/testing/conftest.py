"""Runs a contract's tests on a part that may be broken."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Failures = Callable[..., set[str]]


@pytest.fixture
def failures(tmp_path: Path) -> Failures:
    """``failures(Contract, build=…)``: the names of its tests that fail where the author says that."""

    def run(contract: type, **said: Any) -> set[str]:
        subclass = type("Tested", (contract,), said)
        failed = set()
        for name in dir(subclass):
            if name.startswith("test_"):
                test = getattr(subclass(), name)
                folder = tmp_path / name
                folder.mkdir(exist_ok=True)
                try:
                    test(
                        **({"tmp_path": folder} if "tmp_path" in inspect.signature(test).parameters else {})
                    )
                except Exception:
                    failed.add(name.removeprefix("test_"))
        return failed

    return run
