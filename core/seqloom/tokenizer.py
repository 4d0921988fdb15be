"""Text to token ids and back: what a tokenizer is, and those of the core."""

from __future__ import annotations

import json
import unicodedata
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, TypeVar, final, runtime_checkable

from tokenizers import Tokenizer as HuggingFaceTokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer

from seqloom.errors import CorruptError, DataError, StorageError
from seqloom.vocabulary import Vocabulary

PAD, BOS, EOS, UNK = range(4)
"""Ids of the special tokens of every tokenizer of the core."""

SPECIALS = 4
"""How many ids come before the first that stands for text."""

UNKNOWN_TEXT = "<unk>"
"""What an unknown word or character decodes to."""

NormalForm = Literal["nfc", "nfkc", "none"]

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


# Subwords and bytes ------------------------------------------------------------------------------------


@final
class BpeTokenizer:
    """Byte-pair encoding over UTF-8 bytes (Sennrich et al. 2016; Radford et al. 2019, section 2.2).

    Lossless up to the normalisation. A space is put before every text and taken away again, so that a
    word has the same tokens at the start of a text as within it. No text is special: ``<s>`` is three
    characters. Nothing is unknown, so UNK decodes to nothing; bytes that make no character to U+FFFD.

    Args:
        normalization: Unicode normal form of all text.
        size: Ids at most, the special ones and the 256 bytes counted in.
        min_count: How often a pair must occur to be merged.
    """

    def __init__(self, normalization: NormalForm = "nfc", size: int = 8000, min_count: int = 2) -> None:
        self._normalization = normalization
        self._size = size
        self._min_count = min_count
        self._learned: HuggingFaceTokenizer | None = None

    @property
    def vocabulary(self) -> Vocabulary:
        return _vocabulary(self._engine.get_vocab_size())

    def fit(self, texts: Iterable[str]) -> None:
        engine = _byte_level(BPE())
        trainer = BpeTrainer(
            vocab_size=self._size - SPECIALS,
            min_frequency=self._min_count,
            initial_alphabet=ByteLevel.alphabet(),
            show_progress=False,
        )
        spaced = (f" {text}" for text in _normalized(texts, self._normalization))
        engine.train_from_iterator(spaced, trainer)
        self._learned = engine

    def encode(self, text: str) -> list[int]:
        spaced = " " + _normalize(text, self._normalization)
        return [token + SPECIALS for token in self._engine.encode(spaced).ids]

    def decode(self, ids: Sequence[int]) -> str:
        return self._engine.decode([token - SPECIALS for token in ids if token >= SPECIALS]).removeprefix(
            " "
        )

    def state(self) -> dict[str, Any]:
        model = json.loads(self._engine.to_str())["model"]
        return {"tokens": sorted(model["vocab"], key=model["vocab"].get), "merges": model["merges"]}

    def restore(self, state: Mapping[str, Any]) -> None:
        try:
            ids = {token: number for number, token in enumerate(state["tokens"])}
            merges = [(left, right) for left, right in state["merges"]]
            self._learned = _byte_level(BPE(vocab=ids, merges=merges))
        except Exception as error:  # a bare one where the engine knows no token of a merge
            raise CorruptError(f"not what a bpe tokenizer has learned: {error!r}") from error

    @property
    def _engine(self) -> HuggingFaceTokenizer:
        return _fitted(self._learned)


@final
class ByteTokenizer:
    """UTF-8 bytes as tokens: nothing is unknown, and nothing has to be learned.

    Decoding is that of :class:`BpeTokenizer`.

    Args:
        normalization: Unicode normal form of all text.
    """

    def __init__(self, normalization: NormalForm = "nfc") -> None:
        self._normalization = normalization

    @property
    def vocabulary(self) -> Vocabulary:
        return _vocabulary(256)

    def fit(self, texts: Iterable[str]) -> None:
        for _ in _normalized(texts, self._normalization):
            pass  # nothing to learn; but what its siblings refuse to learn from is refused here too

    def encode(self, text: str) -> list[int]:
        return [byte + SPECIALS for byte in _normalize(text, self._normalization).encode()]

    def decode(self, ids: Sequence[int]) -> str:
        return bytes(token - SPECIALS for token in ids if token >= SPECIALS).decode(errors="replace")

    def state(self) -> dict[str, Any]:
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        if state:
            raise CorruptError(f"a byte tokenizer learns nothing, yet was saved with {sorted(state)}")


# Words and characters ----------------------------------------------------------------------------------


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
        return _vocabulary(len(self._lexicon.tokens))

    def fit(self, texts: Iterable[str]) -> None:
        counts: Counter[str] = Counter()
        for text in _normalized(texts, self._normalization):
            counts.update(self._split(text))
        kept = [token for token, count in counts.items() if count >= self._min_count]
        kept.sort(key=lambda token: (-counts[token], token))  # in no order that the texts gave
        self._learned = _Lexicon.of(kept if self._size is None else kept[: self._size - SPECIALS])

    def encode(self, text: str) -> list[int]:
        ids = self._lexicon.ids
        return [ids.get(token, UNK) for token in self._split(_normalize(text, self._normalization))]

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
        return _fitted(self._learned)

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


# Files -------------------------------------------------------------------------------------------------


def save_tokenizer(path: Path, name: str, options: Mapping[str, Any], tokenizer: Tokenizer) -> None:
    """Writes a fitted tokenizer as one JSON file.

    Args:
        path: The file to write.
        name: The tokenizer's name in the catalog.
        options: What it was built with, JSON-able.
        tokenizer: The tokenizer.

    Raises:
        StorageError: The file cannot be written.
    """
    record = {"name": name, "options": dict(options), "state": tokenizer.state()}
    try:
        path.write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{path}: cannot write the tokenizer: {error.strerror}") from error


def read_tokenizer_file(path: Path) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Reads what :func:`save_tokenizer` wrote.

    Returns:
        Name and options, from which to build the tokenizer, and the state to restore.

    Raises:
        StorageError: The file cannot be read.
        CorruptError: It is not a tokenizer's file.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StorageError(f"{path}: cannot read the tokenizer: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise CorruptError(f"{path}: not a tokenizer's file: {error}") from error
    match record:
        case {"name": str(name), "options": dict(options), "state": dict(state)}:
            return name, options, state
    raise CorruptError(f"{path}: not a tokenizer's file: it needs 'name', 'options' and 'state'")


# What they are made of ---------------------------------------------------------------------------------


class _Lexicon(NamedTuple):
    """Tokens of text by their id less SPECIALS, and those ids by token."""

    tokens: list[str]
    ids: dict[str, int]

    @classmethod
    def of(cls, tokens: list[str]) -> _Lexicon:
        return cls(tokens, {token: number for number, token in enumerate(tokens, SPECIALS)})


def _byte_level(model: BPE) -> HuggingFaceTokenizer:
    engine = HuggingFaceTokenizer(model)
    engine.pre_tokenizer = ByteLevel(add_prefix_space=False)  # it would add none before white space
    engine.decoder = ByteLevelDecoder()
    return engine


def _vocabulary(tokens: int) -> Vocabulary:
    return Vocabulary(size=SPECIALS + tokens, pad=PAD, bos=BOS, eos=EOS, unk=UNK)


def _normalized(texts: Iterable[str], form: NormalForm) -> Iterator[str]:
    """Normalised texts.

    Raises:
        DataError: There is not one that is more than white space.
    """
    blank = True
    for text in texts:
        blank = blank and not text.strip()
        yield _normalize(text, form)
    if blank:
        raise DataError("a tokenizer cannot learn from no text; look at the training data")


def _normalize(text: str, form: NormalForm) -> str:
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
        case "none":
            return text


def _fitted(part: PartT | None) -> PartT:
    if part is None:
        raise RuntimeError("this tokenizer has learned nothing yet; call fit() or restore() first")
    return part
