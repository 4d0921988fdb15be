"""Image captioning as a task: ``seqloom caption``, and the scores of its field."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from seqloom.hooks import (
    Demo,
    DemoRequest,
    MetricSpec,
    NoOptions,
    Options,
    TaskSpec,
    TokenizerSpec,
    hookimpl,
)
from seqloom_captioning.presets import JOB, PRESETS

if TYPE_CHECKING:
    from seqloom.metrics import Metric
    from seqloom.task import Task
    from seqloom.tokenizer import Tokenizer

seqloom_api = 1


class CaptionFlags(Options):
    """Flags of ``seqloom caption`` beside those of every verb."""

    attention: str | None = Field(
        None, description="Folder for a picture of what was looked at for each word, an input each."
    )
    sheet: str | None = Field(
        None, description="Folder for a page and contact sheets of the pictures with their captions."
    )


class CaptionTokenizerOptions(Options):
    """Of the words that captioning's scores compare: lower case, punctuation dropped."""

    size: int | None = Field(None, ge=5, description="Vocabulary at most; null for all words.")
    min_count: int = Field(1, ge=1, description="Rarer words are unknown.")


def _load() -> Callable[[NoOptions, Tokenizer | None], Task]:
    from seqloom_captioning.task import Captioning  # noqa: PLC0415

    def build(options: NoOptions, tokenizer: Tokenizer | None) -> Task:  # noqa: ARG001
        assert tokenizer is not None  # noqa: S101 - the spec's target is tokens
        return Captioning(tokenizer)

    return build


def _demo() -> Callable[[DemoRequest], Demo]:
    from seqloom_captioning.demo import make_demo  # noqa: PLC0415

    return make_demo


def _tokenizer() -> Callable[[CaptionTokenizerOptions], Tokenizer]:
    from seqloom_captioning.tokenizer import CaptionTokenizer  # noqa: PLC0415

    return lambda options: CaptionTokenizer(options.size, options.min_count)


def _bleu(order: int) -> Callable[[], Callable[[NoOptions], Metric]]:
    def load() -> Callable[[NoOptions], Metric]:
        from seqloom_captioning.overlap import CaptionBleu  # noqa: PLC0415

        return lambda _: CaptionBleu(order)

    return load


def _rouge() -> Callable[[NoOptions], Metric]:
    from seqloom_captioning.overlap import RougeL  # noqa: PLC0415

    return lambda _: RougeL()


def _cider() -> Callable[[NoOptions], Metric]:
    from seqloom_captioning.cider import CiderD  # noqa: PLC0415

    return lambda _: CiderD()


@hookimpl
def seqloom_tasks() -> Sequence[TaskSpec[Any]]:
    """Captioning."""
    return [
        TaskSpec(
            name="captioning",
            summary="Pictures to sentences that say what is in them",
            options=NoOptions,
            verb="caption",
            flags=CaptionFlags,
            inputs={"image": "image"},
            presets=PRESETS,
            load=_load,
            job=JOB,
            demo=_demo,
        )
    ]


@hookimpl
def seqloom_tokenizers() -> Sequence[TokenizerSpec[Any]]:
    """The words of captions."""
    return [
        TokenizerSpec(
            name="caption",
            summary="Words in lower case without punctuation, as captions are scored",
            options=CaptionTokenizerOptions,
            load=_tokenizer,
        )
    ]


@hookimpl
def seqloom_metrics() -> Sequence[MetricSpec[Any]]:
    """Scores of the COCO caption evaluation."""
    several = [
        MetricSpec(
            name=f"bleu{order}",
            summary=f"BLEU-{order} as captioning reports it (Papineni et al. 2002)",
            options=NoOptions,
            load=_bleu(order),
        )
        for order in (1, 2, 3, 4)
    ]
    return [
        *several,
        MetricSpec(name="rouge_l", summary="ROUGE-L (Lin 2004)", options=NoOptions, load=_rouge),
        MetricSpec(
            name="cider_d", summary="CIDEr-D (Vedantam et al. 2015)", options=NoOptions, load=_cider
        ),
    ]
