"""A word, and when it was said."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Word(NamedTuple):
    """A word of a transcript with the time that it takes.

    Attributes:
        text: The word, without white space.
        start_s: When it begins: seconds from the beginning of the recording.
        end_s: When it ends, not before it begins.
        confidence: From 0 to 1.
    """

    text: str
    start_s: float
    end_s: float
    confidence: float


def moved(words: Iterable[tuple[str, float, float, float]], by_s: float) -> tuple[Word, ...]:
    """The words of a part of a recording that begins after so many seconds, as those of the whole."""
    return tuple(Word(text, start + by_s, end + by_s, sure) for text, start, end, sure in words)
