"""The tutorial can be followed from an empty folder, in an environment with the wheels of the core and two plugins."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pages
import pytest

PAGE = pages.ROOT / "docs" / "tutorial-plugin.md"
NEEDS = ("seqloom", "seqloom-text", "seqloom-translation")
SHORTER = {
    "steps: 600": "steps: 40",
    "every: 300": "every: 20",
}  # of the task's demo: it works, if not well


@pytest.fixture
def environment(fresh: Callable[..., Any], wheels: dict[str, Path]) -> Any:
    return fresh(*(wheels[name] for name in NEEDS))


def follow(command: pages.Command, environment: Any, folder: Path) -> str:
    """Runs a command as a reader would, and looks for what the page shows of it."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command.text],
        cwd=folder,
        env=environment.variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        text=True,
    )
    assert done.returncode == 0, f"{command.text}\n{done.stdout}"
    printed = [" ".join(line.split()) for line in done.stdout.splitlines()]
    for shown in command.output:
        wanted = pages.pattern(" ".join(shown.split()))
        assert any(wanted.fullmatch(line) for line in printed), f"{shown!r} is not in\n{done.stdout}"
    return done.stdout


@pytest.mark.slow
def test_the_tutorial_can_be_followed(environment: Any, tmp_path: Path) -> None:
    outputs: dict[str, str] = {}
    for block in pages.blocks(PAGE):
        if block.order == "file":
            assert (tmp_path / block.detail).is_file()  # it replaces what was written before
            (tmp_path / block.detail).write_text(block.text, encoding="utf-8")
        elif block.language in ("sh", "console") and not block.order:
            for command in shown_commands(block):
                outputs[command.text] = follow(command, environment, tmp_path)
                shorten(tmp_path / "seqloom-dates" / "src" / "seqloom_dates" / "demo.py")
    trained = outputs["seqloom train movements-data/job.yaml"]
    assert float(re.findall(r"^valid wer (\S+)", trained, re.MULTILINE)[-1]) < 20
    said = outputs["seqloom translate movements movements-data/test-000.csv"].splitlines()[-1]
    assert set(said.split()) <= {"rise", "fall", "shake", "turn", "rest"}
    assert "registered models:/demo-dates/1" in outputs["seqloom demo dates"]


def shown_commands(block: pages.Block) -> list[pages.Command]:
    """The block's commands; a line that begins as pip's command is shown is output of the one before."""
    found: list[pages.Command] = []
    for command in pages.commands(block):
        if command.text.startswith("…"):
            found[-1].output.extend([f"$ {command.text}", *command.output])
        else:
            found.append(command)
    return found


def shorten(demo: Path) -> None:
    """Has a demo that is there train for a few steps."""
    if demo.is_file():
        text = demo.read_text(encoding="utf-8")
        for long, short in SHORTER.items():
            assert long in text or short in text
            text = text.replace(long, short)
        demo.write_text(text, encoding="utf-8")
