"""Words with times in the forms that others read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from seqloom.task import Prediction
from seqloom_audio.segments import segment_of
from seqloom_speech.subtitles import cues
from seqloom_speech.words import Word

Writer = Callable[[Iterable[Prediction]], Iterator[str]]


def subrip(predictions: Iterable[Prediction]) -> Iterator[str]:
    """SubRip's ``.srt``."""
    number = 0
    for prediction in predictions:
        for cue in cues(words_of(prediction)):
            number += 1
            times = f"{_clock(cue.start_s, ',')} --> {_clock(cue.end_s, ',')}"
            yield "\n".join([str(number), times, *cue.lines, "", ""])


def webvtt(predictions: Iterable[Prediction]) -> Iterator[str]:
    """W3C's WebVTT, ``.vtt``."""
    yield "WEBVTT\n\n"
    for prediction in predictions:
        for cue in cues(words_of(prediction)):
            times = f"{_clock(cue.start_s, '.')} --> {_clock(cue.end_s, '.')}"
            yield "\n".join([times, *map(_escaped, cue.lines), "", ""])


def ctm(predictions: Iterable[Prediction]) -> Iterator[str]:
    """NIST's time marked conversations: recording, channel, start, duration, word and confidence a line.

    A recording is called what its file is, without folder and ending, and with ``_`` for white space.
    """
    for prediction in predictions:
        file = segment_of(prediction.example.inputs["speech"]).file
        name = "_".join(Path(file).stem.split())
        for word in words_of(prediction):
            times = f"{word.start_s:.3f} {word.end_s - word.start_s:.3f}"
            yield f"{name} 1 {times} {word.text} {word.confidence:.4f}\n"


WRITERS: Final[Mapping[str, Writer]] = {"srt": subrip, "vtt": webvtt, "ctm": ctm}
"""What writes each format of the task."""


def words_of(prediction: Prediction) -> Sequence[Word]:
    """The words of the best hypothesis."""
    words: Sequence[Word] = prediction.hypotheses[0].details["words"]
    return words


def _clock(seconds: float, point: str) -> str:
    """``01:02:03,450``."""
    minutes, milliseconds = divmod(round(1000 * seconds), 60_000)
    hours, minutes = divmod(minutes, 60)
    whole, rest = divmod(milliseconds, 1000)
    return f"{hours:02d}:{minutes:02d}:{whole:02d}{point}{rest:03d}"


def _escaped(line: str) -> str:
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
