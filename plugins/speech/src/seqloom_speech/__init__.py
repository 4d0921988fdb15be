"""Speech recognition as a task: ``seqloom transcribe``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from seqloom.hooks import Demo, DemoRequest, FormatSpec, Options, TaskSpec, hookimpl
from seqloom_speech.presets import JOB, PRESETS

if TYPE_CHECKING:
    from seqloom.task import Task
    from seqloom.tokenizer import Tokenizer

seqloom_api = 1

TIMES = {"times": True}
FORMATS = {
    "srt": FormatSpec(summary="SubRip subtitles of a recording", flags=TIMES, one_input=True),
    "vtt": FormatSpec(summary="WebVTT subtitles of a recording", flags=TIMES, one_input=True),
    "ctm": FormatSpec(summary="NIST CTM, a line a word", flags=TIMES),
}


class TranscribeFlags(Options):
    """Flags of ``seqloom transcribe`` beside those of every verb."""

    times: bool = Field(False, description="Tell when each word was said; jsonl then has it.")
    alignment: str | None = Field(
        None, description="Folder for a picture of each recording: its spectrum, and when what is said."
    )


class SpeechOptions(Options):
    """Of the task speech."""

    normalization: Literal["none", "basic-1", "english-1"] = Field(
        "none",
        description="The form in which texts are learned and compared: as they are; in lower case without "
        "punctuation; or that with English words for numbers.",
    )


def _load() -> Callable[[SpeechOptions, Tokenizer | None], Task]:
    from seqloom_speech.task import Speech  # noqa: PLC0415

    def build(options: SpeechOptions, tokenizer: Tokenizer | None) -> Task:
        assert tokenizer is not None  # noqa: S101 - the spec's target is tokens
        return Speech(tokenizer, options.normalization)

    return build


def _demo() -> Callable[[DemoRequest], Demo]:
    from seqloom_speech.demo import make_demo  # noqa: PLC0415

    return make_demo


@hookimpl
def seqloom_tasks() -> Sequence[TaskSpec[Any]]:
    """Speech recognition."""
    return [
        TaskSpec(
            name="speech",
            summary="Recordings of speech to what is said",
            options=SpeechOptions,
            verb="transcribe",
            flags=TranscribeFlags,
            inputs={"speech": "audio"},
            presets=PRESETS,
            load=_load,
            job=JOB,
            demo=_demo,
            formats=FORMATS,
        )
    ]
