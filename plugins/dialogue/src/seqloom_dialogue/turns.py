"""Who says what? A conversation as one line of text, and as turns."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

USER: Final = "user"
SYSTEM: Final = "system"

_MARK: Final = re.compile(rf"<({USER}|{SYSTEM})>")


class Turn(NamedTuple):
    """What one of the two says at a time.

    Attributes:
        speaker: ``user`` or ``system``.
        text: In one line, without blanks around it.
    """

    speaker: str
    text: str


def read_turns(history: str) -> list[Turn]:
    """The turns of a text such as ``<user> Hello. <system> What may it be? <user> A coffee.`` in order.

    What stands before the first mark, or where there is none, is the user's. A mark with nothing said
    after it is no turn.
    """
    before, *rest = _MARK.split(history)
    speakers, texts = [USER, *rest[::2]], [before, *rest[1::2]]
    lines = (" ".join(text.split()) for text in texts)
    return [Turn(speaker, line) for speaker, line in zip(speakers, lines, strict=True) if line]


def write_turns(turns: Iterable[Turn]) -> str:
    """Turns as a text that :func:`read_turns` reads."""
    return " ".join(f"<{turn.speaker}> {turn.text}" for turn in turns)
