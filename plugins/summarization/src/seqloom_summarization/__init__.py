"""Summarization as a task: ``seqloom summarize``, the baseline and the scores of its field."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from seqloom.hooks import Demo, DemoRequest, MetricSpec, Options, TaskSpec, hookimpl
from seqloom_summarization.presets import JOB, PRESETS

if TYPE_CHECKING:
    from seqloom.metrics import Metric
    from seqloom.task import Task
    from seqloom.tokenizer import Tokenizer

seqloom_api = 1


class SummarizationOptions(Options):
    """Of the task."""

    piece: int | None = Field(
        None,
        ge=1,
        description="Tokens of a document that are summarized together, at most: `seqloom summarize` cuts "
        "a longer one at paragraphs and sentences and joins the summaries; null never cuts.",
    )


class SummarizeFlags(Options):
    """Flags of ``seqloom summarize`` beside those of every verb."""

    min_length: int | None = Field(None, ge=0, description="Tokens of a summary at least.")
    max_length: int | None = Field(None, ge=1, description="Tokens of a summary at most.")
    piece: int | None = Field(
        None, ge=1, description="Tokens of a document that are summarized together, at most."
    )


class RougeOptions(Options):
    """Of ROUGE."""

    stem: bool = Field(True, description="Whether English endings count for nothing (Porter 1980).")
    unicode: bool = Field(
        False,
        description="Whether letters and digits of any script make words; where not, only a to z and 0 to "
        "9 do, as in ROUGE-1.5.5, which is for English.",
    )


def _load() -> Callable[[SummarizationOptions, Tokenizer | None], Task]:
    from seqloom_summarization.task import Summarization  # noqa: PLC0415

    def build(options: SummarizationOptions, tokenizer: Tokenizer | None) -> Task:
        assert tokenizer is not None  # noqa: S101 - the spec's target is tokens
        return Summarization(tokenizer, options.piece)

    return build


def _demo() -> Callable[[DemoRequest], Demo]:
    from seqloom_summarization.demo import make_demo  # noqa: PLC0415

    return make_demo


def _rouge(kind: str) -> Callable[[], Callable[[RougeOptions], Metric]]:
    def load() -> Callable[[RougeOptions], Metric]:
        from seqloom_summarization.rouge import Rouge  # noqa: PLC0415

        return lambda options: Rouge(kind, stem=options.stem, unicode=options.unicode)

    return load


@hookimpl
def seqloom_tasks() -> Sequence[TaskSpec[Any]]:
    """Summarization."""
    return [
        TaskSpec(
            name="summarization",
            summary="Texts to summaries, headlines or titles",
            options=SummarizationOptions,
            verb="summarize",
            flags=SummarizeFlags,
            inputs={"source": "text"},
            presets=PRESETS,
            load=_load,
            job=JOB,
            baselines=["lead"],
            demo=_demo,
        )
    ]


@hookimpl
def seqloom_metrics() -> Sequence[MetricSpec[Any]]:
    """ROUGE (Lin 2004)."""
    kinds = {"rouge1": "words", "rouge2": "pairs of words", "rougeL": "longest common subsequences"}
    return [
        MetricSpec(
            name=kind.lower(),
            summary=f"{kind.replace('rouge', 'ROUGE-')} (Lin 2004): mean F of {counted}",
            options=RougeOptions,
            load=_rouge(kind),
        )
        for kind, counted in kinds.items()
    ]
