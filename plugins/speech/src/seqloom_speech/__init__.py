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
    piece_s: float | None = Field(
        None,
        ge=1,
        le=3600,
        description="Longest piece that a recording is cut into, in seconds; else as the model's job says.",
    )
    pause_s: float | None = Field(
        None,
        ge=0.1,
        le=3600,
        description="Silence that always ends a piece, in seconds; else as the model's job says.",
    )


class SpeechOptions(Options):
    """Of the task speech."""

    normalization: Literal["none", "basic-1", "english-1"] = Field(
        "none",
        description="The form in which texts are learned and compared: as they are; in lower case without "
        "punctuation; or that with English words for numbers.",
    )
    piece_s: float = Field(
        20.0,
        ge=1,
        le=3600,
        description="Longest piece that a longer recording is cut into, in seconds: best about as long as "
        "the longest that the model learns from.",
    )
    pause_s: float = Field(
        0.5,
        ge=0.1,
        le=3600,
        description="Silence that always ends such a piece, in seconds: longer than those that are within "
        "what the model learns from.",
    )


def _load() -> Callable[[SpeechOptions, Tokenizer | None], Task]:
    from seqloom_speech.splitting import Pieces  # noqa: PLC0415
    from seqloom_speech.task import Speech  # noqa: PLC0415

    def build(options: SpeechOptions, tokenizer: Tokenizer | None) -> Task:
        assert tokenizer is not None  # noqa: S101 - the spec's target is tokens
        pieces = Pieces(longest_s=options.piece_s, pause_s=options.pause_s)
        return Speech(tokenizer, options.normalization, pieces)

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
