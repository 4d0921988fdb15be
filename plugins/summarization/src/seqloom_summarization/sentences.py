"""Where does a document part? At paragraphs and sentences, into pieces of so many tokens."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

ABBREVIATIONS: Final = frozenset(
    {
        *(
            "al",
            "approx",
            "cf",
            "dr",
            "e.g",
            "eq",
            "fig",
            "i.e",
            "jr",
            "mr",
            "mrs",
            "ms",
            "pp",
            "prof",
            "resp",
        ),
        *("sr", "st", "vol", "vs"),
    }
)
"""Words that are written with a full stop within a sentence; so are single letters."""

END: Final = re.compile(r"""[.!?…]+["'”’)\]]*\s+|[。！？]+[」』”’）]*\s*""")
"""What may end a sentence: marks and a blank; those of Chinese and Japanese take none."""

Length = Callable[[str], int]
"""How long a text is, in tokens."""


def sentences(text: str) -> list[str]:
    """The sentences of a text, none of them empty; each line begins another.

    A small letter begins none, and the full stop of an abbreviation or an initial ends none.
    """
    return [sentence for line in text.splitlines() for sentence in _of_line(line)]


def lead(text: str) -> str:
    """The first sentence of a text; nothing of nothing."""
    return next(iter(sentences(text)), "")


def cut(text: str, longest: int, length: Length) -> list[str]:
    """A text in pieces of at most ``longest`` tokens, each as long as it may be.

    They end with a paragraph (at a line's end); within one that is too long itself with a sentence, within
    such a sentence with a word. A word that is too long is a piece.
    """
    return _cut(text, 0, longest, length)


def _of_line(line: str) -> Iterator[str]:
    begin = 0
    for mark in END.finditer(line):
        word = re.split(r"[\s(\[]", line[begin : mark.start()])[-1].lower()
        is_short = word in ABBREVIATIONS or re.fullmatch(r"[^\W\d_]", word) is not None
        if (is_short and line[mark.start()] == ".") or line[mark.end() : mark.end() + 1].islower():
            continue
        yield line[begin : mark.end()].strip()
        begin = mark.end()
    if rest := line[begin:].strip():
        yield rest


def _paragraphs(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


PARTS: Final[tuple[tuple[Callable[[str], list[str]], str], ...]] = (
    (_paragraphs, "\n"),
    (sentences, " "),
    (str.split, " "),
)
"""What a text is made of, from large to small, and what stands between two of each."""


def _cut(text: str, level: int, longest: int, length: Length) -> list[str]:
    if length(text) <= longest or level == len(PARTS):
        return [text]
    parts, between = PARTS[level]
    pieces: list[str] = []
    piece = ""
    for part in parts(text):
        longer = f"{piece}{between}{part}" if piece else part
        if length(longer) <= longest:
            piece = longer
            continue
        pieces += [piece] if piece else []
        *whole, piece = _cut(part, level + 1, longest, length)
        pieces += whole
    return [*pieces, piece]
