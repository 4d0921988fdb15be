"""Speech recognition as a task: ``seqloom transcribe``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from seqloom.hooks import NoOptions, TaskSpec, hookimpl
from seqloom_speech.presets import JOB, PRESETS

if TYPE_CHECKING:
    from seqloom.task import Task
    from seqloom.tokenizer import Tokenizer

seqloom_api = 1


def _load() -> Callable[[NoOptions, Tokenizer | None], Task]:
    from seqloom_speech.task import Speech  # noqa: PLC0415

    def build(options: NoOptions, tokenizer: Tokenizer | None) -> Task:  # noqa: ARG001
        assert tokenizer is not None  # noqa: S101 - the spec's target is tokens
        return Speech(tokenizer)

    return build


@hookimpl
def seqloom_tasks() -> Sequence[TaskSpec[Any]]:
    """Speech recognition."""
    return [
        TaskSpec(
            name="speech",
            summary="Recordings of speech to what is said",
            options=NoOptions,
            verb="transcribe",
            flags=NoOptions,
            inputs={"speech": "audio"},
            presets=PRESETS,
            load=_load,
            job=JOB,
        )
    ]
