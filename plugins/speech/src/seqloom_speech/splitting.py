"""Where is a long recording cut? Where nobody speaks; or else with some sound on both sides of a cut."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from typing import Final, NamedTuple, final

from seqloom_audio.reading import opened_sound
from seqloom_audio.recording import Channel
from seqloom_speech.levels import FRAME_S, Levels, Span, levels_of, quiet_frames, smoothed, spans_of

MARGIN_S: Final = 0.25  # of a silence, what is left beside the sound
CLOSURE_S: Final = 0.25  # a pause is longer than the closure of a stop
LONG_PAUSE_S: Final = 1.0  # where one is looked for, longer ones are no better
OVERLAP_S: Final = 2.0  # of pieces where there is no pause: some words


class Pieces(NamedTuple):
    """What pieces are like.

    Attributes:
        longest_s: Seconds of a piece, at most; a recording that is no longer stays as it is.
        pause_s: Seconds of silence that always end a piece.
    """

    longest_s: float = 20.0
    pause_s: float = 0.5


USUAL: Final = Pieces()
"""What pieces are like where nobody says."""


def split(raw: str, channel: Channel, wanted: Pieces) -> list[str]:
    """A recording as pieces, each the recording's path with the segment that it is.

    Of silence between them, a little is left on both sides.

    Args:
        raw: The path of a recording, or a segment of one.
        channel: Which channel is heard.
        wanted: What pieces are like.

    Raises:
        DataError: It is no sound that we read.
        StorageError: It cannot be read.
    """
    with opened_sound(raw) as recording:
        segment, seconds = recording.segment, recording.seconds
        if seconds is not None and (segment.end_s or seconds) - segment.start_s <= wanted.longest_s:
            return [raw]
        frame = round(recording.rate_hz * FRAME_S)
        levels = levels_of(recording.stream(channel), frame)
        frame_s = frame / recording.rate_hz
    if len(levels) * frame_s <= wanted.longest_s:
        return [raw]
    begin, last = segment.start_s, segment.end_s or math.inf
    return [
        f"{segment.file}#t={_told(begin + start * frame_s)},{_told(min(begin + end * frame_s, last))}"
        for start, end in Cutter(levels, frame_s, wanted).pieces()
    ]


def _told(seconds: float) -> str:
    return f"{seconds:.3f}".rstrip("0").rstrip(".")


@final
class Cutter:
    """Cuts a recording, of which it knows how loud it is.

    Args:
        levels: Of all of it; at least one.
        frame_s: Seconds of a frame.
        wanted: What pieces are like.
    """

    def __init__(self, levels: Levels, frame_s: float, wanted: Pieces) -> None:
        self._levels = smoothed(levels)
        self._quiet = spans_of(quiet_frames(self._levels, frame_s))
        self._frame_s = frame_s
        self._pause = self._frames(wanted.pause_s)
        self._longest = int(wanted.longest_s / frame_s)
        self._overlap = min(self._frames(OVERLAP_S), self._longest // 4)
        self._margin = self._frames(MARGIN_S)

    def pieces(self) -> list[Span]:
        """The pieces, in order; at least one."""
        found = [piece for sound in self._sounds() for piece in self._cut(sound)]
        return found or [Span(0, 2 * self._margin)]  # there is but silence

    def _frames(self, seconds: float) -> int:
        return round(seconds / self._frame_s)

    def _sounds(self) -> Iterator[Span]:
        """What is between pauses that end a piece."""
        start, end = 0, len(self._levels)
        for silence in self._quiet:
            if silence.size == end:
                return
            if silence.start == 0:
                start = max(0, silence.end - self._margin)
            elif silence.end == len(self._levels):
                end = min(end, silence.start + self._margin)
            elif silence.size >= self._pause:
                cut = self._left_out(silence)
                yield Span(start, cut.start)
                start = cut.end
        yield Span(start, end)

    def _left_out(self, pause: Span) -> Span:
        """What a cut leaves out of a pause: what is longer than margins, or nothing at its middle."""
        first, last = pause.start + self._margin, pause.end - self._margin
        return Span(first, last) if first < last else Span(pause.middle, pause.middle)

    def _cut(self, sound: Span) -> Iterator[Span]:
        """Pieces that are not too long."""
        start, end = sound
        while end - start > self._longest:
            pause = self._best_pause(start, end)
            if pause is None:
                middle, half = self._quietest(start, end), self._overlap // 2
                piece, start = Span(start, middle + half), middle - half
            else:
                cut = self._left_out(pause)
                piece, start = Span(start, cut.start), cut.end
            yield piece
        yield Span(start, end)

    def _best_pause(self, start: int, end: int) -> Span | None:
        """The longest pause in the second half of a piece, the last of those; or the last before that.

        Not in its first quarter, nor so that less than a quarter is left of the sound.
        """
        quarter = self._longest // 4
        first, last = start + quarter, min(start + self._longest, end - quarter)
        near = self._quiet[bisect_left(self._quiet, (start,)) : bisect_left(self._quiet, (last,))]
        shortest, long = self._frames(CLOSURE_S), self._frames(LONG_PAUSE_S)

        def worth(pause: Span) -> tuple[int, int]:
            is_late = pause.middle >= start + 2 * quarter
            return min(pause.size, long) // shortest if is_late else 0, pause.start

        fitting = (pause for pause in near if first <= pause.middle <= last and pause.size >= shortest)
        return max(fitting, key=worth, default=None)

    def _quietest(self, start: int, end: int) -> int:
        """Where to cut sound without pauses, towards the end of a piece."""
        last = min(start + self._longest - self._overlap // 2, end - self._longest // 4)
        first = last - self._longest // 4
        return first + int(self._levels[first : last + 1].argmin())
