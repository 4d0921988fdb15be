"""Replies in a conversation as a task: ``seqloom chat``, and how varied they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from seqloom.hooks import (
    Demo,
    DemoRequest,
    MetricSpec,
    ModalitySpec,
    NoOptions,
    Options,
    TaskSpec,
    hookimpl,
)
from seqloom_dialogue.presets import JOB, PRESETS

if TYPE_CHECKING:
    from seqloom.metrics import Metric
    from seqloom.modality import Modality
    from seqloom.task import Task
    from seqloom.tokenizer import Tokenizer

seqloom_api = 1


class HistoryOptions(Options):
    """How much of a conversation a model sees: the newest turns that both limits leave."""

    turns: int | None = Field(6, ge=1, description="Turns at most; null for all.")
    tokens: int | None = Field(
        128,
        ge=1,
        description="Tokens at most; the oldest turns go, each as a whole, and of a newest turn that is "
        "longer by itself the end stays. null for all.",
    )


def _load() -> Callable[[NoOptions, Tokenizer | None], Task]:
    from seqloom_dialogue.task import Dialogue  # noqa: PLC0415

    def build(options: NoOptions, tokenizer: Tokenizer | None) -> Task:  # noqa: ARG001
        assert tokenizer is not None  # noqa: S101 - the spec's target is tokens
        return Dialogue(tokenizer)

    return build


def _history() -> Callable[[HistoryOptions, Tokenizer | None], Modality]:
    from seqloom_dialogue.history import HistoryModality  # noqa: PLC0415

    def build(options: HistoryOptions, tokenizer: Tokenizer | None) -> Modality:
        assert tokenizer is not None  # noqa: S101 - the spec takes one
        return HistoryModality(tokenizer, options.turns, options.tokens)

    return build


def _demo() -> Callable[[DemoRequest], Demo]:
    from seqloom_dialogue.demo import make_demo  # noqa: PLC0415

    return make_demo


def _distinct(order: int) -> Callable[[], Callable[[NoOptions], Metric]]:
    def load() -> Callable[[NoOptions], Metric]:
        from seqloom_dialogue.distinct import Distinct  # noqa: PLC0415

        return lambda _: Distinct(order)

    return load


@hookimpl
def seqloom_modalities() -> Sequence[ModalitySpec[Any]]:
    """The turns of a conversation."""
    return [
        ModalitySpec(
            name="history",
            summary="The newest turns of a conversation as embedded tokens",
            options=HistoryOptions,
            load=_history,
            takes_tokenizer=True,
        )
    ]


@hookimpl
def seqloom_tasks() -> Sequence[TaskSpec[Any]]:
    """Dialogue."""
    return [
        TaskSpec(
            name="dialogue",
            summary="A conversation so far to what is said next",
            options=NoOptions,
            verb="chat",
            flags=NoOptions,
            inputs={"history": "history"},
            presets=PRESETS,
            load=_load,
            job=JOB,
            demo=_demo,
        )
    ]


@hookimpl
def seqloom_metrics() -> Sequence[MetricSpec[Any]]:
    """How varied replies are."""
    return [
        MetricSpec(
            name=f"distinct{order}",
            summary=f"Different {what} of all replies, in percent of their words (Li et al. 2016)",
            options=NoOptions,
            load=_distinct(order),
        )
        for order, what in ((1, "words"), (2, "pairs of words"))
    ]
