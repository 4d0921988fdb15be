"""Which of a distribution's own tests are contracts, and which of these are kept?

A plugin of pytest's, which alone imports it: ``pytest -p seqloom.testing.own --seqloom-report FILE``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CONTRACTS = "seqloom.testing"
_CLASSES: dict[str, list[str]] = {}
_RECORDS: list[dict[str, Any]] = []


def pytest_addoption(parser: Any) -> None:
    """Adds the option."""
    parser.addoption("--seqloom-report", metavar="FILE", help="Where to write what became of each test.")


def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    """Leaves only the tests of contracts, and remembers whose they are."""
    others = []
    for item in items:
        owner: type | None = getattr(item, "cls", None)
        parents = owner.__mro__ if owner else ()
        names = [parent.__name__ for parent in parents if parent.__module__.startswith(CONTRACTS)]
        _CLASSES[item.nodeid] = names
        if not names:
            others.append(item)
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if _CLASSES[item.nodeid]]


def pytest_runtest_logreport(report: Any) -> None:
    """Remembers what became of a test."""
    if report.when == "call" or report.outcome != "passed":
        said = str(getattr(report.longrepr, "reprcrash", None) or report.longrepr or "")
        record = {"test": report.nodeid, "contracts": _CLASSES[report.nodeid]}
        _RECORDS.append(record | {"outcome": report.outcome, "said": said})


def pytest_sessionfinish(session: Any) -> None:
    """Writes the report."""
    file = session.config.getoption("--seqloom-report")
    if file:
        Path(file).write_text(json.dumps(_RECORDS), encoding="utf-8")
