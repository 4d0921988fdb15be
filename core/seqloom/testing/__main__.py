"""``python -m seqloom.testing DISTRIBUTION REPORT [TESTS]``: what ``seqloom plugins check`` runs.

In a process of its own, so that a plugin cannot end, slow down or change the one that reports.
"""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path

from seqloom.testing.conformance import check


def main(distribution: str, report: str, tests: str = "") -> None:
    """Writes each verdict as a line of JSON."""
    with Path(report).open("w", encoding="utf-8") as stream, contextlib.redirect_stdout(sys.stderr):
        for verdict in check(distribution, Path(tests) if tests else None):
            stream.write(json.dumps(verdict._asdict()) + "\n")
            stream.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
