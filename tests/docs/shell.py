"""Runs what a page tells its readers to type."""

from __future__ import annotations

import shlex
import subprocess
from typing import NamedTuple

from typer.testing import CliRunner

from seqloom.catalog import Catalog
from seqloom.cli.main import build_app


class Outcome(NamedTuple):
    """What a command came to: its exit code, what it wrote to stdout, and that with stderr in order."""

    status: int
    stdout: str
    output: str


def run(text: str) -> Outcome:
    """Runs a line: `seqloom` alone in this process, as torch takes seconds to import; else bash does."""
    words = list(shlex.shlex(text, posix=True, punctuation_chars=True))
    if words[0] == "seqloom" and not set(words) & {"|", "||", "&&", ";", ">", "<", "&"}:
        return seqloom(*shlex.split(text)[1:])
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stdout)


def seqloom(*arguments: str) -> Outcome:
    """Runs the command line in this process."""
    result = CliRunner().invoke(build_app(Catalog.from_environment()), arguments, prog_name="seqloom")
    return Outcome(result.exit_code, result.stdout, result.output)
