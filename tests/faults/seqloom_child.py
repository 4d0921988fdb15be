"""Runs ``seqloom``: its words as a JSON list a line; SAID names the file for what the last one says."""

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
    heard = os.open(os.environ.get("SAID", os.devnull), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(heard, sys.stdout.fileno())
    os.dup2(heard, sys.stderr.fileno())
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


if __name__ == "__main__":
    for name in EARLY:
        importlib.import_module(name)
    serve(act)
