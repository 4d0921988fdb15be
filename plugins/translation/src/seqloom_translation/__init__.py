"""Machine translation as a task: ``seqloom translate``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from seqloom.hooks import Demo, DemoRequest, NoOptions, Options, TaskSpec, hookimpl
from seqloom_translation.presets import JOB, PRESETS

if TYPE_CHECKING:
    from seqloom.task import Task
    from seqloom.tokenizer import Tokenizer

seqloom_api = 1


class TranslateFlags(Options):
    """Flags of ``seqloom translate`` beside those of every verb."""

    attention: str | None = Field(
        None, description="Folder for a picture of each sentence's attention, made if need be."
    )


def _load() -> Callable[[NoOptions, Tokenizer | None], Task]:
    from seqloom_translation.task import Translation  # noqa: PLC0415

    def build(options: NoOptions, tokenizer: Tokenizer | None) -> Task:  # noqa: ARG001
        assert tokenizer is not None  # noqa: S101 - the spec's target is tokens
        return Translation(tokenizer)

    return build


def _demo() -> Callable[[DemoRequest], Demo]:
    from seqloom_translation.demo import make_demo  # noqa: PLC0415

    return make_demo


@hookimpl
def seqloom_tasks() -> Sequence[TaskSpec[Any]]:
    """Translation."""
    return [
        TaskSpec(
            name="translation",
            summary="Text in one language to text in another",
            options=NoOptions,
            verb="translate",
            flags=TranslateFlags,
            inputs={"source": "text"},
            presets=PRESETS,
            load=_load,
            job=JOB,
            demo=_demo,
        )
    ]
