"""Which contracts can be tested of a part by its spec alone? Those that need no data of its author's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from seqloom.hooks import AttentionParts, DecoderParts, EncoderParts, HeadParts, Spec
from seqloom.nn.attention import DotAttention
from seqloom.nn.embedding import TokenEmbedding, free_projection
from seqloom.nn.recurrence import RecurrentShape
from seqloom.nn.recurrent import RecurrentDecoder
from seqloom.testing.heads import HeadContract
from seqloom.testing.parts import AttentionContract, DecoderContract, EncoderContract
from seqloom.testing.plugins import ModalityContract, pickled
from seqloom.testing.texts import TEXTS, MetricContract, TokenizerContract
from seqloom.tokenizer import ByteTokenizer

WIDTH = 64  # of models: most numbers of heads divide it
PART_NAMES = {"modality": "ModalityContract", "task": "TaskContract", "head": "HeadContract"}
"""Contracts that only the author can give data for, by the kind of part."""
OF_TEXTS = frozenset({"metric", "tokenizer"})
"""Kinds tested with texts of ours, unless their author knows better ones."""


class BuildContract(ABC):
    """What can be seen of a part without any input of its kind."""

    @abstractmethod
    def build(self) -> Any:
        """One with the options that hold where a job says nothing."""

    def test_defaults_build_it(self) -> None:
        self.build()


class CopyContract(BuildContract):
    """What can be seen of a modality or a task without any input of its kind."""

    def test_data_workers_may_have_a_copy(self) -> None:
        pickled(self.build())


def has_defaults(spec: Spec[Any]) -> bool:
    """Whether a job may name the part without an option."""
    return not any(field.is_required() for field in spec.options.model_fields.values())


def contract_of(kind: str, spec: Any) -> type:
    """A contract, ready to be tested, of a part that has defaults."""
    return _CONTRACTS[kind](spec)


def is_whole(kind: str, spec: Any) -> bool:
    """Whether :func:`contract_of` tests all that the core relies on, so that no data is missing."""
    takes_text = kind == "modality" and spec.takes_tokenizer
    takes_tokens = kind == "head" and spec.takes_decoder
    return kind not in PART_NAMES or takes_text or takes_tokens


def _contract(base: type, build: Callable[[], Any], **said: Any) -> type:
    return type(base.__name__, (base,), {"build": lambda _: build(), **said})


def _encoder(spec: Any) -> type:
    parts = EncoderParts(width=WIDTH)
    return _contract(EncoderContract, lambda: spec.load()(spec.options(), parts), width=WIDTH)


def _attention(spec: Any) -> type:
    parts = AttentionParts(query_width=WIDTH, memory_width=WIDTH)
    widths = {"query_width": WIDTH, "memory_width": WIDTH}
    return _contract(AttentionContract, lambda: spec.load()(spec.options(), parts), **widths)


def _decoder(spec: Any) -> type:
    def build() -> Any:
        size = DecoderContract.vocabulary_size
        parts = DecoderParts(
            width=WIDTH,
            memory_width=WIDTH,
            memory_final=(1, WIDTH),
            embedding=TokenEmbedding(size, WIDTH, pad_id=0),
            output=free_projection(WIDTH, size),
            attention=(lambda query: DotAttention(query, WIDTH)) if spec.takes_attention else None,
        )
        return spec.load()(spec.options(), parts)

    return _contract(DecoderContract, build, memory_width=WIDTH, memory_final=(1, WIDTH))


def _head(spec: Any) -> type:
    def build() -> Any:
        vocabulary = HeadContract.vocabulary
        shape = RecurrentShape(layers=1, hidden=WIDTH, dropout=0.0)
        decoder = RecurrentDecoder(
            TokenEmbedding(vocabulary.size, WIDTH, vocabulary.pad),
            free_projection(WIDTH, vocabulary.size),
            DotAttention(WIDTH, WIDTH),
            (1, WIDTH),
            shape,
        )
        parts = HeadParts(
            memory_width=WIDTH,
            memory_final=(1, WIDTH),
            decoder=decoder if spec.takes_decoder else None,
            vocabulary=vocabulary,
        )
        return spec.load()(spec.options(), parts)

    if not spec.takes_decoder:  # its targets may be anything
        return _contract(BuildContract, build)
    return _contract(HeadContract, build, memory_width=WIDTH, memory_final=(1, WIDTH))


def _tokenizer(spec: Any) -> type:
    return _contract(TokenizerContract, lambda: spec.load()(spec.options()))


def _metric(spec: Any) -> type:
    up = spec.higher_is_better
    return _contract(MetricContract, lambda: spec.load()(spec.options()), higher_is_better=up)


def _modality(spec: Any) -> type:
    def build() -> Any:
        return spec.load()(spec.options(), bytes_of_text() if spec.takes_tokenizer else None)

    def embedding(_: Any) -> TokenEmbedding:
        vocabulary = bytes_of_text().vocabulary
        return TokenEmbedding(vocabulary.size, ModalityContract.width, vocabulary.pad)

    def raws(_: Any, tmp_path: Path) -> Iterable[str]:  # noqa: ARG001
        return TEXTS

    if not spec.takes_tokenizer:
        return _contract(CopyContract, build)
    said = {"embedding": embedding, "raws": raws, "test_the_entry_module_imports_no_torch": None}
    return _contract(ModalityContract, build, **said)  # EntryContract tells of the entry module


def _task(spec: Any) -> type:
    given = bytes_of_text() if spec.target_tokenizer else None
    return _contract(CopyContract, lambda: spec.load()(spec.options(), given))


def bytes_of_text() -> ByteTokenizer:
    """A tokenizer that knows any text."""
    tokenizer = ByteTokenizer()
    tokenizer.fit(TEXTS)
    return tokenizer


_CONTRACTS: Mapping[str, Callable[[Any], type]] = {
    "encoder": _encoder,
    "attention": _attention,
    "decoder": _decoder,
    "head": _head,
    "tokenizer": _tokenizer,
    "metric": _metric,
    "modality": _modality,
    "task": _task,
}
