"""Words to subtitles: what is shown together, for how long, on which lines."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Final, NamedTuple

from seqloom_speech.words import Word

CHARACTERS: Final = 42
"""Of a line at most; this and what follows down to the shortest is Netflix's Timed Text Style Guide."""
LINES: Final = 2
LONGEST_S: Final = 7.0
SHORTEST_S: Final = 5 / 6
PAUSE_S: Final = 0.8
"""A silence after which what is said next is shown by itself."""


class Cue(NamedTuple):
    """What is shown together.

    Attributes:
        start_s: When it appears, in seconds.
        end_s: When it goes.
        lines: What it says.
    """

    start_s: float
    end_s: float
    lines: Sequence[str]


def cues(words: Sequence[Word]) -> Iterator[Cue]:
    """Words as they are shown: parted at pauses, and where lines or time would not suffice.

    What is said faster than it is read stays a little longer, but never into the next cue.
    """
    groups = list(_groups(words))
    starts = [*(group[0].start_s for group in groups), math.inf]
    for group, next_s in zip(groups, starts[1:], strict=True):
        start_s, end_s = group[0].start_s, group[-1].end_s
        yield Cue(start_s, max(end_s, min(start_s + SHORTEST_S, next_s)), _lines(group))


def _groups(words: Sequence[Word]) -> Iterator[list[Word]]:
    group: list[Word] = []
    for word in words:
        if group and not _belongs(word, group):
            yield group
            group = []
        group.append(word)
    if group:
        yield group


def _belongs(word: Word, group: Sequence[Word]) -> bool:
    """Whether a word is shown with those before it."""
    return (
        word.start_s - group[-1].end_s < PAUSE_S
        and word.end_s - group[0].start_s <= LONGEST_S
        and len(_wrapped([*group, word], CHARACTERS)) <= LINES
    )


def _lines(group: Sequence[Word]) -> list[str]:
    """As few lines as suffice, about as long as each other."""
    count = len(_wrapped(group, CHARACTERS))
    widths = (width for width in range(1, CHARACTERS) if len(_wrapped(group, width)) == count)
    return _wrapped(group, next(widths, CHARACTERS))


def _wrapped(group: Sequence[Word], width: int) -> list[str]:
    text = " ".join(word.text for word in group)
    return wrap(text, width, break_long_words=False, break_on_hyphens=False)
