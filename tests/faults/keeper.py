"""Acts on a registry: ``collect URL RUNS`` or ``import URL RUNS FILE`` a line."""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from children import serve

from seqloom.collection import collect_waste
from seqloom.errors import SeqloomError
from seqloom.registry.store import Registry
from seqloom.transfer import import_file


def act(line: str) -> int:
    """The exit code that the command line would give it."""
    action, url, runs, *files = line.split()
    try:
        with Registry(url) as registry:
            if action == "collect":
                by_now = datetime.now(UTC) + timedelta(seconds=1)
                found = list(collect_waste(registry, Path(runs), by_now))
                return int(any(waste.obstacle is not None for waste in found))
            import_file(registry, Path(runs), Path(files[0]))
    except SeqloomError as error:
        return error.exit_code
    return 0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:  # what is imported late is imported now
        url = f"sqlite:///{scratch}/registry.db"
        assert act(f"collect {url} {scratch}/runs") == 0
        assert act(f"import {url} {scratch}/runs {sys.argv[0]}") == 74
    serve(act)
