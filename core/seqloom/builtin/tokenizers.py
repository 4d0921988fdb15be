"""The core's tokenizers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from seqloom.hooks import Options, TokenizerSpec, hookimpl

if TYPE_CHECKING:
    from seqloom.tokenizer import Tokenizer

Normalization = Literal["nfc", "nfkc", "casefold", "none"]
NORMALIZATION = "Unicode normal form of all text; casefold is nfkc without upper case."


class ByteOptions(Options):
    """Of UTF-8 bytes as tokens: no unknowns, lossless up to the normalisation."""

    normalization: Normalization = Field("nfc", description=NORMALIZATION)


class CharOptions(Options):
    """Of characters as tokens."""

    normalization: Normalization = Field("nfc", description=NORMALIZATION)
    min_count: int = Field(1, ge=1, description="Rarer characters are unknown.")


class WordOptions(Options):
    """Of words between white space as tokens."""

    normalization: Normalization = Field("nfc", description=NORMALIZATION)
    size: int | None = Field(None, ge=5, description="Vocabulary at most; null for all words.")
    min_count: int = Field(1, ge=1, description="Rarer words are unknown.")


class BpeOptions(Options):
    """Of byte-pair encoding over bytes (Sennrich et al. 2016; Radford et al. 2019): lossless."""

    normalization: Normalization = Field("nfc", description=NORMALIZATION)
    size: int = Field(8000, ge=260, description="Vocabulary, 256 bytes and 4 special tokens counted in.")
    min_count: int = Field(2, ge=1, description="Rarer pairs are not merged.")


class UnigramOptions(Options):
    """Of subwords under a unigram language model over bytes (Kudo 2018): lossless."""

    normalization: Normalization = Field("nfc", description=NORMALIZATION)
    size: int = Field(8000, ge=260, description="Vocabulary, 256 bytes and 4 special tokens counted in.")


def _tokenizer(name: str) -> Callable[[], Callable[[Any], Tokenizer]]:
    def load() -> Callable[[Any], Tokenizer]:
        from seqloom import tokenizer  # noqa: PLC0415

        made: Callable[..., Tokenizer] = getattr(tokenizer, name)
        return lambda options: made(**options.model_dump())

    return load


@hookimpl
def seqloom_tokenizers() -> Sequence[TokenizerSpec[Any]]:
    """Byte-pair, unigram, word, character and byte tokens."""
    return [
        TokenizerSpec(
            name="bpe",
            summary="Byte-pair encoding over bytes, lossless",
            options=BpeOptions,
            load=_tokenizer("BpeTokenizer"),
        ),
        TokenizerSpec(
            name="unigram",
            summary="Subwords of a unigram language model over bytes, lossless",
            options=UnigramOptions,
            load=_tokenizer("UnigramTokenizer"),
        ),
        TokenizerSpec(
            name="word",
            summary="Words between white space",
            options=WordOptions,
            load=_tokenizer("WordTokenizer"),
        ),
        TokenizerSpec(
            name="char",
            summary="Characters",
            options=CharOptions,
            load=_tokenizer("CharTokenizer"),
        ),
        TokenizerSpec(
            name="byte",
            summary="UTF-8 bytes, lossless, nothing to fit",
            options=ByteOptions,
            load=_tokenizer("ByteTokenizer"),
        ),
    ]
