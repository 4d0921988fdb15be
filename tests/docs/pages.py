"""What a page tells its readers to write and to run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

_BLOCK = re.compile(
    r"(?:^<!-- (?P<order>skip|file): (?P<detail>.+?) -->\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


class Block(NamedTuple):
    """A fenced block.

    Attributes:
        line: The line of its fence, counted from 1.
        language: What the fence says.
        text: What is inside.
        order: What a comment above says: ``skip`` (and why) or ``file`` (and its name), or nothing.
        detail: The reason or the name.
    """

    line: int
    language: str
    text: str
    order: str
    detail: str


class Command(NamedTuple):
    """A command of a block, and the lines that it is shown to print; ``…`` stands for anything."""

    text: str
    output: list[str]


def blocks(page: Path) -> Iterator[Block]:
    """The page's blocks of code, in order."""
    text = page.read_text(encoding="utf-8")
    for match in _BLOCK.finditer(text):
        line = text[: match.start("language")].count("\n") + 1
        yield Block(line, match["language"], match["text"], match["order"] or "", match["detail"] or "")


def commands(block: Block) -> list[Command]:
    """The commands of a ``sh`` block, one a line, or of a ``console`` block, each after a ``$``."""
    lines = block.text.splitlines()
    if block.language == "sh":
        return [Command(line, []) for line in lines]
    found: list[Command] = []
    for line in lines:
        if line.startswith("$ "):
            found.append(Command(line.removeprefix("$ "), []))
        else:
            found[-1].output.append(line)
    return found


def pattern(shown: str) -> re.Pattern[str]:
    """What a line shown to be printed matches."""
    return re.compile(".*".join(re.escape(part) for part in shown.split("…")))


def rows(page: Path, first_header: str) -> Iterator[list[str]]:
    """The cells of the page's table whose first header is that."""
    lines = page.read_text(encoding="utf-8").splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith(f"| {first_header} |"))
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip("|").split("|")]
