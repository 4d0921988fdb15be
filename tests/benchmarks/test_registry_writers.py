"""Writers of the benchmark's leave no gap, whatever database they write to."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import postgres

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "registry_writers.py"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_no_gaps_and_no_errors(kind: str) -> None:
    if kind == "postgresql" and (reason := postgres.why_not()):
        pytest.skip(reason)
    options = ["--processes", "4", "--versions", "15", "--databases", kind]
    done = subprocess.run([sys.executable, SCRIPT, *options], capture_output=True, text=True, check=True)
    head, _, row = [line.strip("| ").split(" | ") for line in done.stdout.splitlines()]
    found = dict(zip(head, row, strict=True))
    assert [found[name] for name in ("database", "versions", "gaps", "errors")] == [kind, "60", "0", "0"]
