"""In which form is what was said learned and compared? Rules with names.

A rule never changes: models keep its name, and scores tell it. One that is to do otherwise gets a new name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Final

from seqloom_speech.spelling import spelled_numbers

APOSTROPHES: Final = "'\u2019\u2018\u02bc\u00b4`"
"""What people write for one: typewriter's, curled either way, modifier letter, acute, grave."""

_LOOSE: Final = re.compile(r"(?<![^' ])'|'(?![^' ])")
"""An apostrophe that is not between two characters of a word."""


class _Kept(dict[int, str]):
    """What becomes of a character, for :meth:`str.translate`."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        kind = unicodedata.category(character)
        if character in APOSTROPHES:
            self[code] = "'"
        elif kind[0] in "LMN":
            self[code] = character
        else:
            self[code] = "" if kind == "Cf" else " "
        return self[code]


_STRAIGHT: Final = str.maketrans(dict.fromkeys(APOSTROPHES, "'"))
_KEPT: Final = _Kept()


def basic_1(text: str) -> str:
    """Lower case without punctuation, for any language.

    Unicode's NFKC, lower case; letters, marks and digits stay, and apostrophes within words, all as
    ``'``; characters that only format (soft hyphens, joiners) go without a trace; whatever else stands
    for a blank, and blanks are single.
    """
    kept = _folded(text).translate(_KEPT)
    return " ".join(_LOOSE.sub(" ", kept).split())


def english_1(text: str) -> str:
    """As :func:`basic_1`, with numbers, ``%`` and ``&`` in English words by :func:`spelled_numbers`."""
    return basic_1(spelled_numbers(_folded(text)))


def _folded(text: str) -> str:
    straight = text.translate(_STRAIGHT)  # before NFKC, which has an acute accent stand on a blank
    lower = unicodedata.normalize("NFKC", straight).lower()
    return unicodedata.normalize("NFKC", lower)


RULES: Final[Mapping[str, Callable[[str], str]]] = {
    "basic-1": basic_1,
    "english-1": english_1,
}
"""By the names that jobs, models and scores have."""
