"""The core's heads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from seqloom.errors import ConfigError
from seqloom.hooks import HeadParts, HeadSpec, NoOptions, Options, hookimpl

if TYPE_CHECKING:
    from seqloom.head import Head


class SequenceHeadOptions(Options):
    """Of the head that writes tokens."""

    label_smoothing: float = Field(
        0.1, ge=0, lt=1, description="Share of probability spread over the vocabulary."
    )
    ctc: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of CTC in the loss, the rest being the decoder's (Kim et al. 2017): for outputs "
        "in the order of their inputs, as of speech and of writing.",
    )
    coverage: float = Field(
        0.0,
        ge=0,
        description="Weight of a penalty where attention to a position does not add up to one over the "
        "output (Xu et al. 2015, equation 14).",
    )


def _sequence_head() -> Callable[[SequenceHeadOptions, HeadParts], Head[Any]]:
    from seqloom.head import SequenceHead  # noqa: PLC0415
    from seqloom.nn.ctc import Ctc  # noqa: PLC0415

    def build(options: SequenceHeadOptions, parts: HeadParts) -> Head[Any]:
        assert parts.decoder is not None  # noqa: S101 - the spec says takes_decoder
        assert parts.vocabulary is not None  # noqa: S101
        return SequenceHead(
            parts.decoder,
            parts.vocabulary,
            options.label_smoothing,
            coverage=options.coverage,
            ctc=Ctc(parts.memory_width, parts.vocabulary.size) if options.ctc else None,
            ctc_weight=options.ctc,
        )

    return build


def _ctc_head() -> Callable[[NoOptions, HeadParts], Head[Any]]:
    from seqloom.head import CtcHead  # noqa: PLC0415
    from seqloom.nn.ctc import Ctc  # noqa: PLC0415

    def build(_: NoOptions, parts: HeadParts) -> Head[Any]:
        if parts.vocabulary is None:
            raise ConfigError("model.head: ctc writes tokens, and this task has no such target")
        return CtcHead(Ctc(parts.memory_width, parts.vocabulary.size), parts.vocabulary)

    return build


@hookimpl
def seqloom_heads() -> Sequence[HeadSpec[Any]]:
    """The head that writes tokens one by one, and the one that reads them off the memory."""
    return [
        HeadSpec(
            name="sequence",
            summary="A decoder trained by cross-entropy, maybe with CTC, decoded by search",
            options=SequenceHeadOptions,
            load=_sequence_head,
            takes_decoder=True,
        ),
        HeadSpec(
            name="ctc",
            summary="CTC without a decoder (Graves et al. 2006): outputs in the order of their inputs",
            options=NoOptions,
            load=_ctc_head,
        ),
    ]
