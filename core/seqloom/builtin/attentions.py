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


class LocationOptions(Options):
    """Of location-aware attention (Chorowski et al. 2015)."""

    hidden: int = Field(256, ge=1, description="Width that queries and keys are compared in.")
    filters: int = Field(10, ge=1, description="How many filters run over the last weights.")
    kernel: int = Field(31, ge=1, description="Positions that a filter spans, an odd number.")
    smoothing: bool = Field(
        False, description="Whether weights are made of sigmoids of scores, so that they spread (2.3)."
    )


class DotOptions(Options):
    """Of dot-product attention (Luong et al. 2015, `general`)."""

    scaled: bool = Field(True, description="Whether to divide by the root of the width (Vaswani 2017).")


def _additive() -> Callable[[AdditiveOptions, AttentionParts], AnyAttention]:
    from seqloom.nn.attention import AdditiveAttention  # noqa: PLC0415

    return lambda options, parts: AdditiveAttention(parts.query_width, parts.memory_width, options.hidden)


def _location() -> Callable[[LocationOptions, AttentionParts], AnyAttention]:
    from seqloom.nn.attention import LocationAttention  # noqa: PLC0415

    return lambda options, parts: LocationAttention(
        parts.query_width, parts.memory_width, **options.model_dump()
    )


def _dot() -> Callable[[DotOptions, AttentionParts], AnyAttention]:
    from seqloom.nn.attention import DotAttention  # noqa: PLC0415

    return lambda options, parts: DotAttention(parts.query_width, parts.memory_width, options.scaled)


@hookimpl
def seqloom_attentions() -> Sequence[AttentionSpec[Any]]:
    """Additive, location-aware and dot-product attention."""
    return [
        AttentionSpec(
            name="additive",
            summary="A small network compares query and key (Bahdanau et al. 2015)",
            options=AdditiveOptions,
            load=_additive,
        ),
        AttentionSpec(
            name="location",
            summary="Additive, and sees where it looked last (Chorowski et al. 2015)",
            options=LocationOptions,
            load=_location,
        ),
        AttentionSpec(
            name="dot",
            summary="A product compares query and projected key (Luong et al. 2015)",
            options=DotOptions,
            load=_dot,
        ),
    ]
