"""Words and characters as tokens: those seen often enough, all others unknown."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, final

from seqloom.errors import CorruptError
from seqloom.tokenizer.base import SPECIALS, UNK, NormalForm, fitted, normalize, normalized, vocabulary_of
from seqloom.vocabulary import Vocabulary

UNKNOWN_TEXT = "<unk>"
"""What an unknown word or character decodes to."""


class _CountingTokenizer(ABC):
    """Knows the tokens that it counted often enough; all others are unknown."""

    _separator: ClassVar[str]

    def __init__(self, normalization: NormalForm, size: int | None, min_count: int) -> None:
        self._normalization = normalization
        self._size = size
        self._min_count = min_count
        self._learned: _Lexicon | None = None

    @property
    def vocabulary(self) -> Vocabulary:
        return vocabulary_of(len(self._lexicon.tokens))

    def fit(self, texts: Iterable[str]) -> None:
        counts: Counter[str] = Counter()
        for text in normalized(texts, self._normalization):
            counts.update(self._split(text))
        kept = [token for token, count in counts.items() if count >= self._min_count]
        kept.sort(key=lambda token: (-counts[token], token))  # in no order that the texts gave
        self._learned = _Lexicon.of(kept if self._size is None else kept[: self._size - SPECIALS])

    def encode(self, text: str) -> list[int]:
        ids = self._lexicon.ids
        return [ids.get(token, UNK) for token in self._split(normalize(text, self._normalization))]

    def decode(self, ids: Sequence[int]) -> str:
        tokens = self._lexicon.tokens
        return self._separator.join(
            UNKNOWN_TEXT if token == UNK else tokens[token - SPECIALS] for token in ids if token >= UNK
        )

    def state(self) -> dict[str, Any]:
        return {"tokens": self._lexicon.tokens}

    def restore(self, state: Mapping[str, Any]) -> None:
        tokens = state.get("tokens")
        if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
            raise CorruptError("a saved tokenizer of words or characters needs 'tokens', a list of texts")
        self._learned = _Lexicon.of(tokens)

    @property
    def _lexicon(self) -> _Lexicon:
        return fitted(self._learned)

    @staticmethod
    @abstractmethod
    def _split(text: str) -> Iterable[str]:
        """The tokens of a normalised text."""


@final
class WordTokenizer(_CountingTokenizer):
    """Words between white space as tokens; decoding puts one space between two words.

    Args:
        normalization: Unicode normal form of all text.
        size: Ids at most, the special ones counted in; None for all words.
        min_count: Rarer words are unknown.
    """

    _separator = " "

    def __init__(
        self, normalization: NormalForm = "nfc", size: int | None = None, min_count: int = 1
    ) -> None:
        super().__init__(normalization, size, min_count)

    @staticmethod
    def _split(text: str) -> Iterable[str]:
        return text.split()


@final
class CharTokenizer(_CountingTokenizer):
    """Characters (Unicode code points) as tokens.

    Args:
        normalization: Unicode normal form of all text.
        min_count: Rarer characters are unknown.
    """

    _separator = ""

    def __init__(self, normalization: NormalForm = "nfc", min_count: int = 1) -> None:
        super().__init__(normalization, None, min_count)

    @staticmethod
    def _split(text: str) -> Iterable[str]:
        return text


class _Lexicon(NamedTuple):
    """Tokens of text by their id less SPECIALS, and those ids by token."""

    tokens: list[str]
    ids: dict[str, int]

    @classmethod
    def of(cls, tokens: list[str]) -> _Lexicon:
        return cls(tokens, {token: number for number, token in enumerate(tokens, SPECIALS)})
