"""The core's encoders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from seqloom.hooks import EncoderParts, EncoderSpec, NoOptions, Options, hookimpl

if TYPE_CHECKING:
    from seqloom.nn.encoder import Encoder

RECURRENT_SHAPE = {"cell", "layers", "hidden", "dropout"}
"""The options that the encoder and the decoder called rnn share."""


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


class ConformerOptions(Options):
    """Of a Conformer (Gulati et al. 2020)."""

    layers: int = Field(12, ge=1, description="How many layers.")
    heads: int = Field(4, ge=1, description="Attention heads; they divide the width.")
    feed_forward: int = Field(2048, ge=1, description="Width inside the feed-forward parts.")
    kernel: int = Field(31, ge=1, description="Positions that a convolution spans, an odd number.")
    context: int | None = Field(
        None, ge=0, description="Positions on each side that attention sees; null for all of the input."
    )
    dropout: float = Field(
        0.1, ge=0, lt=1, description="Of features, inside feed-forward parts and of each part's output."
    )


class RnnEncoderOptions(Options):
    """Of a recurrent encoder."""

    cell: Literal["lstm", "gru"] = Field("lstm", description="Kind of cell.")
    layers: int = Field(2, ge=1, description="How many layers.")
    hidden: int = Field(512, ge=1, description="Width of the state in each direction.")
    bidirectional: bool = Field(True, description="Whether to read from both ends.")
    reverse: bool = Field(
        False, description="Whether to read the input from its end (Sutskever et al. 2014, 3.3)."
    )
    pyramid: int = Field(
        0,
        ge=0,
        description="How many of the upper layers read pairs of positions as one, which halves their "
        "number each time (Chan et al. 2016, 3.1).",
    )
    dropout: float = Field(0.2, ge=0, lt=1, description="Of inputs and between layers.")


def _transformer_encoder() -> Callable[[TransformerOptions, EncoderParts], Encoder]:
    from seqloom.nn.transformer import TransformerEncoder, TransformerShape  # noqa: PLC0415

    def build(options: TransformerOptions, parts: EncoderParts) -> Encoder:
        return TransformerEncoder(TransformerShape(width=parts.width, **options.model_dump()))

    return build


def _conformer_encoder() -> Callable[[ConformerOptions, EncoderParts], Encoder]:
    from seqloom.nn.conformer import ConformerEncoder, ConformerShape  # noqa: PLC0415

    def build(options: ConformerOptions, parts: EncoderParts) -> Encoder:
        return ConformerEncoder(ConformerShape(width=parts.width, **options.model_dump()))

    return build


def _rnn_encoder() -> Callable[[RnnEncoderOptions, EncoderParts], Encoder]:
    from seqloom.nn.recurrence import RecurrentShape  # noqa: PLC0415
    from seqloom.nn.recurrent import RecurrentEncoder  # noqa: PLC0415

    def build(options: RnnEncoderOptions, parts: EncoderParts) -> Encoder:
        shape = RecurrentShape(**options.model_dump(include=RECURRENT_SHAPE))
        reading = options.model_dump(exclude=RECURRENT_SHAPE)
        return RecurrentEncoder(parts.width, shape, **reading)

    return build


def _no_encoder() -> Callable[[NoOptions, EncoderParts], Encoder]:
    from seqloom.nn.encoder import NoEncoder  # noqa: PLC0415

    return lambda _, parts: NoEncoder(parts.width)


@hookimpl
def seqloom_encoders() -> Sequence[EncoderSpec[Any]]:
    """The Transformer's encoder, the Conformer, the recurrent one, and none."""
    return [
        EncoderSpec(
            name="transformer",
            summary="Self-attention layers (Vaswani et al. 2017)",
            options=TransformerOptions,
            load=_transformer_encoder,
        ),
        EncoderSpec(
            name="conformer",
            summary="Self-attention and convolution in each layer (Gulati et al. 2020)",
            options=ConformerOptions,
            load=_conformer_encoder,
        ),
        EncoderSpec(
            name="rnn",
            summary="LSTM or GRU layers, one way or both, or as a pyramid",
            options=RnnEncoderOptions,
            load=_rnn_encoder,
        ),
        EncoderSpec(
            name="none",
            summary="No layers: the front end's features are the memory",
            options=NoOptions,
            load=_no_encoder,
        ),
    ]
