"""The core's decoders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from seqloom.builtin.encoders import RECURRENT_SHAPE, TransformerOptions
from seqloom.hooks import DecoderParts, DecoderSpec, Options, hookimpl

if TYPE_CHECKING:
    from seqloom.nn.decoder import AnyDecoder


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
    copying: bool = Field(
        False,
        description="Whether it may also say what the attention looks at (See et al. 2017, 2.2): for "
        "inputs that are text and share the target's tokenizer, as `joint`.",
    )
    dropout: float = Field(0.2, ge=0, lt=1, description="Of inputs, between layers and of outputs.")


def _transformer_decoder() -> Callable[[TransformerOptions, DecoderParts], AnyDecoder]:
    from seqloom.nn.transformer import TransformerDecoder, TransformerShape  # noqa: PLC0415

    def build(options: TransformerOptions, parts: DecoderParts) -> AnyDecoder:
        shape = TransformerShape(width=parts.width, **options.model_dump())
        return TransformerDecoder(shape, parts.memory_width, parts.embedding, parts.output)

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
            copying=options.copying,
        )

    return build


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
