"""Runs ``seqloom``: its words as a JSON list a line."""

from __future__ import annotations

import importlib
import json
import os
import sys

from children import serve

from seqloom.cli.main import main

EARLY = ("seqloom.jobs", "seqloom_text", "seqloom_translation", "sacrebleu", "seqloom.registry.migrate")
"""What a training imports, slowly."""


def act(line: str) -> int:
    """The exit code of a command."""
    sys.argv = ["seqloom", *json.loads(line)]
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, sys.stdout.fileno())
    os.dup2(silence, sys.stderr.fileno())
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


if __name__ == "__main__":
    for name in EARLY:
        importlib.import_module(name)
    serve(act)
