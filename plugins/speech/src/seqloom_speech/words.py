"""A word, and when it was said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple


class Part(NamedTuple):
    """What a token writes of a word: a letter, or several.

    Attributes:
        text: Without white space.
        start_s: When it begins, in seconds from the beginning of the recording.
        end_s: When it ends.
    """

    text: str
    start_s: float
    end_s: float


class Word(NamedTuple):
    """A word of a transcript with the time that it takes.

    Attributes:
        text: The word, without white space.
        start_s: When it begins: seconds from the beginning of the recording.
        end_s: When it ends, not before it begins.
        confidence: From 0 to 1.
        parts: What it is made of, where that is known.
    """

    text: str
    start_s: float
    end_s: float
    confidence: float
    parts: tuple[Part, ...] = ()


def moved(words: Iterable[Sequence[Any]], by_s: float) -> tuple[Word, ...]:
    """The words of a part of a recording that begins after so many seconds, as those of the whole.

    Args:
        words: Each with the fields of a :class:`Word`, which may be those of JSON.
        by_s: Seconds.
    """
    return tuple(_moved(Word(*word), by_s) for word in words)


def _moved(word: Word, by_s: float) -> Word:
    parts = tuple(Part(text, start + by_s, end + by_s) for text, start, end in word.parts)
    return word._replace(start_s=word.start_s + by_s, end_s=word.end_s + by_s, parts=parts)
