"""The core's attentions over a memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from seqloom.hooks import AttentionParts, AttentionSpec, Options, hookimpl

if TYPE_CHECKING:
    from seqloom.nn.attention import AnyAttention


class AdditiveOptions(Options):
    """Of additive attention (Bahdanau et al. 2015)."""

    hidden: int = Field(256, ge=1, description="Width that queries and keys are compared in.")


class DotOptions(Options):
    """Of dot-product attention (Luong et al. 2015, `general`)."""

    scaled: bool = Field(True, description="Whether to divide by the root of the width (Vaswani 2017).")


def _additive() -> Callable[[AdditiveOptions, AttentionParts], AnyAttention]:
    from seqloom.nn.attention import AdditiveAttention  # noqa: PLC0415

    return lambda options, parts: AdditiveAttention(parts.query_width, parts.memory_width, options.hidden)


def _dot() -> Callable[[DotOptions, AttentionParts], AnyAttention]:
    from seqloom.nn.attention import DotAttention  # noqa: PLC0415

    return lambda options, parts: DotAttention(parts.query_width, parts.memory_width, options.scaled)


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
