"""Captions as the words that their scores compare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, final

from seqloom.tokenizer import WordTokenizer
from seqloom.vocabulary import Vocabulary
from seqloom_captioning.words import words


@final
class CaptionTokenizer:
    """Words in lower case, punctuation dropped; it decodes to these words, whatever was encoded.

    Args:
        size: Ids at most, the special ones counted in; None for all words.
        min_count: Rarer words are unknown.
    """

    def __init__(self, size: int | None = None, min_count: int = 1) -> None:
        self._words = WordTokenizer("none", size, min_count)

    @property
    def vocabulary(self) -> Vocabulary:
        return self._words.vocabulary

    def fit(self, texts: Iterable[str]) -> None:
        self._words.fit(map(_plain, texts))

    def encode(self, text: str) -> list[int]:
        return self._words.encode(_plain(text))

    def decode(self, ids: Sequence[int]) -> str:
        return self._words.decode(ids)

    def state(self) -> dict[str, Any]:
        return self._words.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        self._words.restore(state)


def _plain(text: str) -> str:
    return " ".join(words(text))
