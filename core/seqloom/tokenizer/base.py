"""What a tokenizer is, and what those of the core share."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeVar, runtime_checkable

from seqloom.errors import DataError
from seqloom.vocabulary import Vocabulary

PAD, BOS, EOS, UNK = range(4)
"""Ids of the special tokens of every tokenizer of the core."""

SPECIALS = 4
"""How many ids come before the first that stands for text."""

NormalForm = Literal["nfc", "nfkc", "casefold", "none"]
"""Unicode normal forms; ``casefold`` is NFKC of text whose case is lost (Unicode 16.0, definition D146)."""

PartT = TypeVar("PartT")


@runtime_checkable
class Tokenizer(Protocol):
    """Text to token ids and back.

    Attributes:
        vocabulary: Its size and special tokens; complete after :meth:`fit` or :meth:`restore`.
    """

    @property
    def vocabulary(self) -> Vocabulary: ...

    def fit(self, texts: Iterable[str]) -> None:
        """Learns the vocabulary; the same texts in the same order give the same one."""

    def encode(self, text: str) -> list[int]:
        """Token ids, without BOS and EOS."""

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ``ids``; PAD, BOS and EOS are left out."""

    def state(self) -> dict[str, Any]:
        """All that :meth:`fit` learned, JSON-able."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes what :meth:`state` gave; afterwards it encodes and decodes as before."""


def vocabulary_of(tokens: int) -> Vocabulary:
    """That of so many tokens of text."""
    return Vocabulary(size=SPECIALS + tokens, pad=PAD, bos=BOS, eos=EOS, unk=UNK)


def normalized(texts: Iterable[str], form: NormalForm) -> Iterator[str]:
    """Texts to learn from, normalised.

    Raises:
        DataError: There is not one that is more than white space.
    """
    blank = True
    for text in texts:
        blank = blank and not text.strip()
        yield normalize(text, form)
    if blank:
        raise DataError("a tokenizer cannot learn from no text; look at the training data")


def normalize(text: str, form: NormalForm) -> str:
    """A text in a Unicode normal form.

    Raises:
        DataError: It holds half a surrogate pair, which no file can hold.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        code = ord(text[error.start])
        raise DataError(f"U+{code:04X} at position {error.start} is no character of a text") from error
    match form:
        case "nfc":
            return unicodedata.normalize("NFC", text)
        case "nfkc":
            return unicodedata.normalize("NFKC", text)
        case "casefold":
            folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", text).casefold())
            return unicodedata.normalize("NFKC", folded.casefold())
        case "none":
            return text


def fitted(part: PartT | None) -> PartT:
    """What a tokenizer has learned.

    Raises:
        RuntimeError: Nothing yet.
    """
    if part is None:
        raise RuntimeError("this tokenizer has learned nothing yet; call fit() or restore() first")
    return part
