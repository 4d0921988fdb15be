"""What a tokenizer is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from seqloom.vocabulary import Vocabulary

PAD, BOS, EOS, UNK = range(4)
"""Ids of the special tokens of every tokenizer of the core."""


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
