"""Subwords and bytes as tokens: lossless, and nothing is unknown."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple, final

from tokenizers import Tokenizer as HuggingFaceTokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE, Model, Unigram
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer, UnigramTrainer

from seqloom.errors import CorruptError
from seqloom.tokenizer.base import SPECIALS, NormalForm, fitted, normalize, normalized, vocabulary_of
from seqloom.vocabulary import Vocabulary

LEARNED = 4_000_000
"""Characters of different words that are learned from: the trainers take some 100 bytes for each."""

REMEMBERED = 100_000
"""Words whose tokens are remembered at most: those that come first, the frequent ones among them."""

LONGEST_REMEMBERED = 40
"""Characters; what is longer (a line of a script without spaces) hardly comes again."""

RARE = 256 * 1e-4
"""How far above the least probable token the trainer of unigrams spreads the bytes that it never kept."""


class _SubwordTokenizer(ABC):
    """Subwords of UTF-8 bytes, lossless up to the normalisation.

    A space is put before every text and taken away again, so that a word has the same tokens at the
    start of a text as within it. No text is special: ``<s>`` is three characters. Nothing is unknown,
    so UNK decodes to nothing; bytes that make no character to U+FFFD.
    """

    def __init__(self, normalization: NormalForm, size: int) -> None:
        self._normalization = normalization
        self._size = size
        self._learned: _Learned | None = None

    @property
    def vocabulary(self) -> Vocabulary:
        return fitted(self._learned).vocabulary

    def fit(self, texts: Iterable[str]) -> None:
        spaced = (f" {text}" for text in _with_early_words(normalized(texts, self._normalization)))
        self._learned = _Learned.of(self._learn(spaced))

    def encode(self, text: str) -> list[int]:
        ids_of = fitted(self._learned).ids.__getitem__
        return list(chain.from_iterable(map(ids_of, _words(normalize(text, self._normalization)))))

    def decode(self, ids: Sequence[int]) -> str:
        return self._engine.decode([token - SPECIALS for token in ids if token >= SPECIALS]).removeprefix(
            " "
        )

    def restore(self, state: Mapping[str, Any]) -> None:
        try:
            self._learned = _Learned.of(self._model(state))
        except Exception as error:  # a bare one where the engine knows no token of a merge
            raise CorruptError(f"not what this kind of tokenizer has learned: {error!r}") from error

    @property
    def _engine(self) -> HuggingFaceTokenizer:
        return fitted(self._learned).engine

    @abstractmethod
    def _learn(self, texts: Iterator[str]) -> Model:
        """What texts, each with a space before it, teach."""

    @staticmethod
    @abstractmethod
    def _model(state: Mapping[str, Any]) -> Model:
        """What was learned, from its saved form."""


@final
class BpeTokenizer(_SubwordTokenizer):
    """Byte-pair encoding over UTF-8 bytes (Sennrich et al. 2016; Radford et al. 2019, section 2.2).

    Args:
        normalization: Unicode normal form of all text.
        size: Ids at most, the special ones and the 256 bytes counted in.
        min_count: How often a pair must occur to be merged.
    """

    def __init__(self, normalization: NormalForm = "nfc", size: int = 8000, min_count: int = 2) -> None:
        super().__init__(normalization, size)
        self._min_count = min_count

    def state(self) -> dict[str, Any]:
        model = _saved(self._engine)
        return {"tokens": sorted(model["vocab"], key=model["vocab"].get), "merges": model["merges"]}

    def _learn(self, texts: Iterator[str]) -> Model:
        engine = _byte_level(BPE())
        trainer = BpeTrainer(
            vocab_size=self._size - SPECIALS,
            min_frequency=self._min_count,
            initial_alphabet=ByteLevel.alphabet(),
            show_progress=False,
        )
        engine.train_from_iterator(texts, trainer)
        learned: Model = engine.model
        return learned

    @staticmethod
    def _model(state: Mapping[str, Any]) -> Model:
        ids = {token: number for number, token in enumerate(state["tokens"])}
        return BPE(vocab=ids, merges=[(left, right) for left, right in state["merges"]])


@final
class UnigramTokenizer(_SubwordTokenizer):
    """The most probable subwords under a unigram language model (Kudo 2018, section 3.2), over bytes.

    Args:
        normalization: Unicode normal form of all text.
        size: Ids at most, the special ones and the 256 bytes counted in.
    """

    def __init__(self, normalization: NormalForm = "nfc", size: int = 8000) -> None:
        super().__init__(normalization, size)

    def state(self) -> dict[str, Any]:
        tokens, scores = zip(*_saved(self._engine)["vocab"], strict=True)
        return {"tokens": list(tokens), "scores": list(scores)}

    def _learn(self, texts: Iterator[str]) -> Model:
        engine = _byte_level(Unigram())
        trainer = UnigramTrainer(
            vocab_size=self._size - SPECIALS, initial_alphabet=ByteLevel.alphabet(), show_progress=False
        )
        engine.train_from_iterator(texts, trainer)
        return Unigram(_settled(_saved(engine)["vocab"], self._size - SPECIALS))

    @staticmethod
    def _model(state: Mapping[str, Any]) -> Model:
        if missing := set(ByteLevel.alphabet()).difference(state["tokens"]):
            raise CorruptError(f"there is no token for the byte {min(missing)!r}")
        return Unigram(list(zip(state["tokens"], state["scores"], strict=True)))


def _settled(vocabulary: Iterable[tuple[str, float]], size: int) -> list[tuple[str, float]]:
    """A vocabulary as the same texts always teach it: all bytes and the most probable others.

    The trainer goes through hash maps: the last digits of its scores, the order of equal ones and what
    the bytes get that it did not keep differ from one process to the next. Asked for bytes alone, it
    gives more.
    """
    scores = dict(vocabulary)
    least = min(scores.values())
    settled = [
        (token, round(least if len(token) == 1 and score < least + RARE else score, 6))
        for token, score in scores.items()
    ]
    settled.sort(key=lambda pair: (len(pair[0]) > 1, -pair[1], pair[0]))
    return settled[:size]


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
        return vocabulary_of(256)

    def fit(self, texts: Iterable[str]) -> None:
        for _ in normalized(texts, self._normalization):
            pass  # nothing to learn; but what its siblings refuse to learn from is refused here too

    def encode(self, text: str) -> list[int]:
        return [byte + SPECIALS for byte in normalize(text, self._normalization).encode()]

    def decode(self, ids: Sequence[int]) -> str:
        return bytes(token - SPECIALS for token in ids if token >= SPECIALS).decode(errors="replace")

    def state(self) -> dict[str, Any]:
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        if state:
            raise CorruptError(f"a byte tokenizer learns nothing, yet was saved with {sorted(state)}")


class _Learned(NamedTuple):
    """What encodes and decodes."""

    engine: HuggingFaceTokenizer
    vocabulary: Vocabulary
    ids: _Ids

    @classmethod
    def of(cls, model: Model) -> _Learned:
        engine = _byte_level(model)
        return cls(engine, vocabulary_of(engine.get_vocab_size()), _Ids(engine))


class _Ids(dict[str, list[int]]):
    """The ids of words. The engine takes many times as long to encode a word as to remember it."""

    def __init__(self, engine: HuggingFaceTokenizer) -> None:
        super().__init__()
        self.engine = engine

    def __missing__(self, word: str) -> list[int]:
        ids = [token + SPECIALS for token in self.engine.encode(f" {word}").ids]
        if len(self) < REMEMBERED and len(word) <= LONGEST_REMEMBERED:
            self[word] = ids
        return ids


def _with_early_words(texts: Iterable[str]) -> Iterator[str]:
    """Texts to learn from without words that come when :data:`LEARNED` is reached: those are rare."""
    known: set[str] = set()
    left = LEARNED
    for text in texts:
        words = text.split()
        if left > 0:
            new = set(words) - known
            known |= new
            left -= sum(map(len, new))
        elif not known.issuperset(words):
            text = " ".join(word for word in words if word in known)  # noqa: PLW2901
        yield text


def _words(text: str) -> list[str]:
    """What can be encoded apart: no token reaches over a space between words, nor sees what is beyond.

    Other white space makes tokens of its own; a text that has some stays whole.
    """
    words = text.split(" ")
    return words if words == text.split() else [text]


def _byte_level(model: Model) -> HuggingFaceTokenizer:
    engine = HuggingFaceTokenizer(model)
    engine.pre_tokenizer = ByteLevel(add_prefix_space=False)  # it would add none before white space
    engine.decoder = ByteLevelDecoder()
    return engine


def _saved(engine: HuggingFaceTokenizer) -> Any:
    """An engine's model as the library saves it."""
    return json.loads(engine.to_str())["model"]
