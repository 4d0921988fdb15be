"""What the core itself offers: the specs and options of its own parts, through everybody's hooks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from seqloom.hooks import (
    AttentionParts,
    AttentionSpec,
    DecoderParts,
    DecoderSpec,
    EncoderParts,
    EncoderSpec,
    HeadParts,
    HeadSpec,
    MetricSpec,
    Options,
    TokenizerSpec,
    hookimpl,
)

if TYPE_CHECKING:
    from seqloom.head import Head
    from seqloom.metrics import Metric
    from seqloom.nn.attention import AnyAttention
    from seqloom.nn.decoder import AnyDecoder
    from seqloom.nn.encoder import Encoder
    from seqloom.tokenizer import Tokenizer

seqloom_api = 1


# Transformer -------------------------------------------------------------------------------------------


class TransformerOptions(Options):
    """Of both halves of a Transformer (Vaswani et al. 2017)."""

    layers: int = Field(6, ge=1, description="How many layers.")
    heads: int = Field(8, ge=1, description="Attention heads; they divide the width.")
    feed_forward: int = Field(2048, ge=1, description="Width inside the feed-forward part.")
    dropout: float = Field(0.1, ge=0, lt=1, description="Of embeddings and of each part's output.")
    attention_dropout: float = Field(0.0, ge=0, lt=1, description="Of attention weights.")
    norm: Literal["pre", "post"] = Field(
        "pre", description="Layer norm before each part (Xiong et al. 2020) or after its sum."
    )
    activation: Literal["relu", "gelu"] = Field("relu", description="Inside the feed-forward part.")
    positions: Literal["sinusoidal", "learned"] = Field("sinusoidal", description="Kind of positions.")
    max_positions: int = Field(
        1024, ge=1, description="Longest sequence of learned positions; sinusoids have no limit."
    )


def _transformer_encoder() -> Callable[[TransformerOptions, EncoderParts], Encoder]:
    from seqloom.nn.transformer import TransformerEncoder, TransformerShape  # noqa: PLC0415

    def build(options: TransformerOptions, parts: EncoderParts) -> Encoder:
        return TransformerEncoder(TransformerShape(width=parts.width, **options.model_dump()))

    return build


def _transformer_decoder() -> Callable[[TransformerOptions, DecoderParts], AnyDecoder]:
    from seqloom.nn.transformer import TransformerDecoder, TransformerShape  # noqa: PLC0415

    def build(options: TransformerOptions, parts: DecoderParts) -> AnyDecoder:
        shape = TransformerShape(width=parts.width, **options.model_dump())
        return TransformerDecoder(shape, parts.memory_width, parts.embedding, parts.output)

    return build


# Recurrent ---------------------------------------------------------------------------------------------


RECURRENT_SHAPE = {"cell", "layers", "hidden", "dropout"}  # the options that both recurrent parts share


class RnnEncoderOptions(Options):
    """Of a recurrent encoder."""

    cell: Literal["lstm", "gru"] = Field("lstm", description="Kind of cell.")
    layers: int = Field(2, ge=1, description="How many layers.")
    hidden: int = Field(512, ge=1, description="Width of the state in each direction.")
    bidirectional: bool = Field(True, description="Whether to read from both ends.")
    reverse: bool = Field(
        False, description="Whether to read the input from its end (Sutskever et al. 2014, 3.3)."
    )
    dropout: float = Field(0.2, ge=0, lt=1, description="Of inputs and between layers.")


class RnnDecoderOptions(Options):
    """Of a recurrent decoder."""

    cell: Literal["lstm", "gru"] = Field("lstm", description="Kind of cell.")
    layers: int = Field(2, ge=1, description="How many layers.")
    hidden: int = Field(512, ge=1, description="Width of the state.")
    input_feeding: bool = Field(
        False,
        description="Whether a step also reads what the last one attended to (Luong et al. 2015, 3.3): "
        "slower to train, as positions wait for each other.",
    )
    dropout: float = Field(0.2, ge=0, lt=1, description="Of inputs, between layers and of outputs.")


class AdditiveOptions(Options):
    """Of additive attention (Bahdanau et al. 2015)."""

    hidden: int = Field(256, ge=1, description="Width that queries and keys are compared in.")


class DotOptions(Options):
    """Of dot-product attention (Luong et al. 2015, `general`)."""

    scaled: bool = Field(True, description="Whether to divide by the root of the width (Vaswani 2017).")


def _rnn_encoder() -> Callable[[RnnEncoderOptions, EncoderParts], Encoder]:
    from seqloom.nn.recurrence import RecurrentShape  # noqa: PLC0415
    from seqloom.nn.recurrent import RecurrentEncoder  # noqa: PLC0415

    def build(options: RnnEncoderOptions, parts: EncoderParts) -> Encoder:
        shape = RecurrentShape(**options.model_dump(include=RECURRENT_SHAPE))
        return RecurrentEncoder(
            parts.width, shape, bidirectional=options.bidirectional, reverse=options.reverse
        )

    return build


def _rnn_decoder() -> Callable[[RnnDecoderOptions, DecoderParts], AnyDecoder]:
    from seqloom.nn.recurrence import RecurrentShape  # noqa: PLC0415
    from seqloom.nn.recurrent import RecurrentDecoder  # noqa: PLC0415

    def build(options: RnnDecoderOptions, parts: DecoderParts) -> AnyDecoder:
        attention = None if parts.attention is None else parts.attention(options.hidden)
        shape = RecurrentShape(**options.model_dump(include=RECURRENT_SHAPE))
        return RecurrentDecoder(
            parts.embedding,
            parts.output,
            attention,
            parts.memory_final,
            shape,
            input_feeding=options.input_feeding,
        )

    return build


def _additive() -> Callable[[AdditiveOptions, AttentionParts], AnyAttention]:
    from seqloom.nn.attention import AdditiveAttention  # noqa: PLC0415

    return lambda options, parts: AdditiveAttention(parts.query_width, parts.memory_width, options.hidden)


def _dot() -> Callable[[DotOptions, AttentionParts], AnyAttention]:
    from seqloom.nn.attention import DotAttention  # noqa: PLC0415

    return lambda options, parts: DotAttention(parts.query_width, parts.memory_width, options.scaled)


# Heads -------------------------------------------------------------------------------------------------


class SequenceHeadOptions(Options):
    """Of the head that writes tokens."""

    label_smoothing: float = Field(
        0.1, ge=0, lt=1, description="Share of probability spread over the vocabulary."
    )


def _sequence_head() -> Callable[[SequenceHeadOptions, HeadParts], Head[Any]]:
    from seqloom.head import SequenceHead  # noqa: PLC0415

    def build(options: SequenceHeadOptions, parts: HeadParts) -> Head[Any]:
        assert parts.decoder is not None  # noqa: S101 - the spec says takes_decoder
        assert parts.vocabulary is not None  # noqa: S101
        return SequenceHead(parts.decoder, parts.vocabulary, options.label_smoothing)

    return build


# Tokenizers --------------------------------------------------------------------------------------------

Normalization = Literal["nfc", "nfkc", "none"]


class ByteOptions(Options):
    """Of UTF-8 bytes as tokens: no unknowns, lossless up to the normalisation."""

    normalization: Normalization = Field("nfc", description="Unicode normal form of all text.")


class CharOptions(Options):
    """Of characters as tokens."""

    normalization: Normalization = Field("nfc", description="Unicode normal form of all text.")
    min_count: int = Field(1, ge=1, description="Rarer characters are unknown.")


class WordOptions(Options):
    """Of words between white space as tokens."""

    normalization: Normalization = Field("nfc", description="Unicode normal form of all text.")
    size: int | None = Field(None, ge=5, description="Vocabulary at most; null for all words.")
    min_count: int = Field(1, ge=1, description="Rarer words are unknown.")


class BpeOptions(Options):
    """Of byte-pair encoding over bytes (Sennrich et al. 2016; Radford et al. 2019): lossless."""

    normalization: Normalization = Field("nfc", description="Unicode normal form of all text.")
    size: int = Field(8000, ge=260, description="Vocabulary, 256 bytes and 4 special tokens counted in.")
    min_count: int = Field(2, ge=1, description="Rarer pairs are not merged.")


class UnigramOptions(Options):
    """Of subwords under a unigram language model over bytes (Kudo 2018): lossless."""

    normalization: Normalization = Field("nfc", description="Unicode normal form of all text.")
    size: int = Field(8000, ge=260, description="Vocabulary, 256 bytes and 4 special tokens counted in.")


def _tokenizer(name: str) -> Callable[[], Callable[[Any], Tokenizer]]:
    def load() -> Callable[[Any], Tokenizer]:
        from seqloom import tokenizer  # noqa: PLC0415

        made: Callable[..., Tokenizer] = getattr(tokenizer, name)
        return lambda options: made(**options.model_dump())

    return load


# Metrics -----------------------------------------------------------------------------------------------


class BleuOptions(Options):
    """Of BLEU (Papineni et al. 2002), by sacrebleu (Post 2018)."""

    lowercase: bool = Field(False, description="Whether case counts for nothing.")
    tokenize: Literal["13a", "none", "intl", "char", "zh"] = Field(
        "13a", description="sacrebleu's tokenization; none for text that is tokens already."
    )


class ChrfOptions(Options):
    """Of chrF (Popović 2015), by sacrebleu; chrF++ with word_order 2."""

    lowercase: bool = Field(False, description="Whether case counts for nothing.")
    word_order: int = Field(0, ge=0, le=4, description="Longest word n-gram beside characters.")


def _metric(name: str) -> Callable[[], Callable[[Any], Metric]]:
    def load() -> Callable[[Any], Metric]:
        from seqloom import metrics  # noqa: PLC0415

        made: Callable[..., Metric] = getattr(metrics, name)
        return lambda options: made(**options.model_dump())

    return load


# Hooks -------------------------------------------------------------------------------------------------


@hookimpl
def seqloom_encoders() -> Sequence[EncoderSpec[Any]]:
    """The Transformer's and the recurrent encoder."""
    return [
        EncoderSpec(
            name="transformer",
            summary="Self-attention layers (Vaswani et al. 2017)",
            options=TransformerOptions,
            load=_transformer_encoder,
        ),
        EncoderSpec(
            name="rnn",
            summary="LSTM or GRU layers, one way or both",
            options=RnnEncoderOptions,
            load=_rnn_encoder,
        ),
    ]


@hookimpl
def seqloom_attentions() -> Sequence[AttentionSpec[Any]]:
    """Additive and dot-product attention."""
    return [
        AttentionSpec(
            name="additive",
            summary="A small network compares query and key (Bahdanau et al. 2015)",
            options=AdditiveOptions,
            load=_additive,
        ),
        AttentionSpec(
            name="dot",
            summary="A product compares query and projected key (Luong et al. 2015)",
            options=DotOptions,
            load=_dot,
        ),
    ]


@hookimpl
def seqloom_decoders() -> Sequence[DecoderSpec[Any]]:
    """The Transformer's and the recurrent decoder."""
    return [
        DecoderSpec(
            name="transformer",
            summary="Self- and cross-attention layers with a cache (Vaswani et al. 2017)",
            options=TransformerOptions,
            load=_transformer_decoder,
        ),
        DecoderSpec(
            name="rnn",
            summary="LSTM or GRU layers, with or without attention",
            options=RnnDecoderOptions,
            load=_rnn_decoder,
            takes_attention=True,
        ),
    ]


@hookimpl
def seqloom_heads() -> Sequence[HeadSpec[Any]]:
    """The head that writes tokens."""
    return [
        HeadSpec(
            name="sequence",
            summary="A decoder trained by cross-entropy, decoded by search",
            options=SequenceHeadOptions,
            load=_sequence_head,
            takes_decoder=True,
        )
    ]


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


@hookimpl
def seqloom_metrics() -> Sequence[MetricSpec[Any]]:
    """BLEU and chrF."""
    return [
        MetricSpec(
            name="bleu",
            summary="BLEU by sacrebleu (Papineni et al. 2002)",
            options=BleuOptions,
            load=_metric("Bleu"),
        ),
        MetricSpec(
            name="chrf",
            summary="chrF by sacrebleu (Popović 2015)",
            options=ChrfOptions,
            load=_metric("Chrf"),
        ),
    ]
