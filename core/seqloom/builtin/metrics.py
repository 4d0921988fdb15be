"""The core's scores of texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from seqloom.hooks import MetricSpec, Options, hookimpl

if TYPE_CHECKING:
    from seqloom.metrics import Metric


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


class TextOptions(Options):
    """Of scores that compare whole texts."""

    lowercase: bool = Field(False, description="Whether case counts for nothing.")
    normalization: Literal["nfc", "nfkc", "none"] = Field(
        "nfc", description="Unicode normal form of both texts."
    )


def _metric(name: str) -> Callable[[], Callable[[Any], Metric]]:
    def load() -> Callable[[Any], Metric]:
        from seqloom import metrics  # noqa: PLC0415

        made: Callable[..., Metric] = getattr(metrics, name)
        return lambda options: made(**options.model_dump())

    return load


@hookimpl
def seqloom_metrics() -> Sequence[MetricSpec[Any]]:
    """BLEU, chrF, error rates and exact matches."""
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
        MetricSpec(
            name="cer",
            summary="Character error rate in percent, lower is better; the closest reference counts",
            options=TextOptions,
            load=_metric("Cer"),
            higher_is_better=False,
        ),
        MetricSpec(
            name="wer",
            summary="Word error rate in percent, lower is better; the closest reference counts",
            options=TextOptions,
            load=_metric("Wer"),
            higher_is_better=False,
        ),
        MetricSpec(
            name="exact",
            summary="Percentage of outputs that equal a reference",
            options=TextOptions,
            load=_metric("Exact"),
        ),
    ]
