"""Reading text lines as a task: ``seqloom read``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from seqloom.hooks import Demo, DemoRequest, NoOptions, TaskSpec, hookimpl
from seqloom_ocr.presets import JOB, PRESETS

if TYPE_CHECKING:
    from seqloom.task import Task
    from seqloom.tokenizer import Tokenizer

seqloom_api = 1


def _load() -> Callable[[NoOptions, Tokenizer | None], Task]:
    from seqloom_ocr.task import LineReading  # noqa: PLC0415

    def build(options: NoOptions, tokenizer: Tokenizer | None) -> Task:  # noqa: ARG001
        assert tokenizer is not None  # noqa: S101 - the spec's target is tokens
        return LineReading(tokenizer)

    return build


def _demo() -> Callable[[DemoRequest], Demo]:
    from seqloom_ocr.demo import make_demo  # noqa: PLC0415

    return make_demo


@hookimpl
def seqloom_tasks() -> Sequence[TaskSpec[Any]]:
    """Reading text lines."""
    return [
        TaskSpec(
            name="ocr",
            summary="A picture of a text line to its text",
            options=NoOptions,
            verb="read",
            flags=NoOptions,
            inputs={"image": "image"},
            presets=PRESETS,
            load=_load,
            job=JOB,
            demo=_demo,
        )
    ]
