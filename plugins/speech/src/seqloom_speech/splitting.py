"""Where is a long recording cut? Where nobody speaks; or else with some sound on both sides of a cut.

A pause is where sound is little louder than the noise about it, which is what it falls to in its quietest
moments. So neither how loud a recording is nor how noisy makes a difference, and noise may change.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from seqloom_audio.reading import opened_sound
from seqloom_audio.recording import Channel

FRAME_S: Final = 0.02
"""What one level is of."""

SMOOTH: Final = 5  # frames whose median counts: no click, and no closure of a stop, makes a difference
PAUSE_S: Final = 0.25  # the shortest that is worth a cut: closures of stops are shorter
LONG_PAUSE_S: Final = 1.0  # longer ones are no better
GAP_S: Final = 3.0  # so long a silence always ends a piece
MARGIN_S: Final = 0.5  # of a silence, what is left beside the sound
OVERLAP_S: Final = 2.0  # of pieces where there is no pause: some words

CONTEXT_S: Final = 30.0  # before and after, in which the noise is found
STEP_S: Final = 5.0  # from one such place to the next
NOISE, SPEECH = 5, 95  # the percentiles of levels that tell how loud they are
CONTRAST_DB: Final = 10.0  # of speech above noise; where there is less, no pause can be told
LOUDER: Final = 0.3  # a pause goes up to this share of the way from noise to speech,
LOUDER_DB: Final = 10.0  # but not farther
SILENT_DB: Final = -90.0
"""Nothing but the rounding of samples to 16 bits; full scale is 0."""


class Span(NamedTuple):
    """From a frame to the one after the last."""

    start: int
    end: int

    @property
    def size(self) -> int:
        return self.end - self.start

    @property
    def middle(self) -> int:
        return (self.start + self.end) // 2


def split(raw: str, channel: Channel, piece_s: float) -> list[str]:
    """A recording as pieces, each the recording's path with the segment that it is.

    Silence of more than :data:`GAP_S` is left out. What is between two cuts is as long as may be, as a
    model sees sound in the light of what is about it.

    Args:
        raw: The path of a recording, or a segment of one.
        channel: Which channel is heard.
        piece_s: Seconds of a piece, at most; what is no longer stays as it is.

    Raises:
        DataError: It is no sound that we read.
        StorageError: It cannot be read.
    """
    with opened_sound(raw) as recording:
        segment, seconds = recording.segment, recording.seconds
        if seconds is not None and (segment.end_s or seconds) - segment.start_s <= piece_s:
            return [raw]
        frame = round(recording.rate_hz * FRAME_S)
        levels = levels_of(recording.stream(channel), frame)
        frame_s = frame / recording.rate_hz
    if len(levels) * frame_s <= piece_s:
        return [raw]
    begin, last = segment.start_s, segment.end_s or math.inf
    return [
        f"{segment.file}#t={_told(begin + start * frame_s)},{_told(min(begin + end * frame_s, last))}"
        for start, end in Cutter(levels, frame_s).pieces(piece_s)
    ]


def _told(seconds: float) -> str:
    return f"{seconds:.3f}".rstrip("0").rstrip(".")


# How loud it is ----------------------------------------------------------------------------------------


def levels_of(blocks: Iterable[NDArray[np.float32]], frame: int) -> NDArray[np.float32]:
    """The power of each frame beside its mean, in dB below full scale; the last may be a shorter one.

    Args:
        blocks: [n] one after another, from -1 to 1.
        frame: Samples of a frame.
    """
    levels = []
    rest = np.zeros(0, np.float32)
    for block in blocks:
        sound = np.concatenate([rest, block])
        whole = len(sound) // frame * frame
        levels.append(_decibels(sound[:whole].reshape(-1, frame)))
        rest = sound[whole:]
    if len(rest):
        levels.append(_decibels(rest[None]))
    return np.concatenate([np.zeros(0, np.float32), *levels])


def _decibels(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    levels: NDArray[np.float32] = 10 * np.log10(frames.var(1) + np.float32(1e-12))
    return levels


def quiet_frames(levels: NDArray[np.float32], frame_s: float) -> NDArray[np.bool]:
    """[N] whether a frame is no louder than a pause.

    Args:
        levels: [N] in dB, without clicks.
        frame_s: Seconds of a frame.
    """
    quiet = levels <= SILENT_DB
    if quiet.all():
        return quiet
    step, reach = round(STEP_S / frame_s), round(CONTEXT_S / frame_s)
    loudest = float(np.percentile(levels[~quiet], SPEECH))
    for start in range(0, len(levels), step):
        about = levels[max(0, start - reach) : start + step + reach]
        about = about[about > SILENT_DB]
        if len(about):
            quiet[start : start + step] |= levels[start : start + step] < _greatest(about, loudest)
    return quiet


def _greatest(levels: NDArray[np.float32], loudest: float) -> float:
    """Up to which level there is a pause, where these levels are about.

    Args:
        levels: None of them silent.
        loudest: How loud the whole recording gets, by which minutes of noise are told from speech.
    """
    noise, speech = np.percentile(levels, [NOISE, SPEECH]).tolist()
    contrast = (speech if speech - noise >= CONTRAST_DB else loudest) - noise
    return noise + min(LOUDER * contrast, LOUDER_DB) if contrast >= CONTRAST_DB else SILENT_DB


# Where it is cut ---------------------------------------------------------------------------------------


@final
class Cutter:
    """Cuts a recording, of which it knows how loud it is.

    Args:
        levels: [N] in dB, at least one.
        frame_s: Seconds of a frame.
    """

    def __init__(self, levels: NDArray[np.float32], frame_s: float) -> None:
        padded = np.pad(levels, SMOOTH // 2, mode="edge")
        self._levels: NDArray[np.float32] = np.median(sliding_window_view(padded, SMOOTH), axis=1)
        self._frame_s = frame_s
        self._quiet = _runs(quiet_frames(self._levels, frame_s))

    def pieces(self, piece_s: float) -> list[Span]:
        """The pieces, in order, each of so many seconds at most; at least one."""
        size = int(piece_s / self._frame_s)
        overlap = min(self._frames(OVERLAP_S), size // 4)
        found = [piece for sound in self._sounds() for piece in self._cut(sound, size, overlap)]
        return found or [Span(0, self._frames(2 * MARGIN_S))]  # there is but silence

    def _frames(self, seconds: float) -> int:
        return round(seconds / self._frame_s)

    def _sounds(self) -> Iterator[Span]:
        """What is between long silences, with a margin."""
        margin, start = self._frames(MARGIN_S), 0
        for silence in self._quiet:
            is_edge = silence.start == 0 or silence.end == len(self._levels)
            if silence.size < self._frames(GAP_S) and not is_edge:
                continue
            if silence.start > 0:
                yield Span(start, min(silence.start + margin, silence.end))
            start = max(silence.end - margin, silence.start)
        if not self._quiet or self._quiet[-1].end < len(self._levels):
            yield Span(start, len(self._levels))

    def _cut(self, sound: Span, size: int, overlap: int) -> Iterator[Span]:
        start, end = sound
        while end - start > size:
            pause = self._pause(start, end, size)
            if pause is None:
                cut = self._quietest(start, end, size, overlap)
                piece, start = Span(start, cut + overlap // 2), cut - overlap // 2
            else:
                margin, middle = self._frames(MARGIN_S), pause.middle
                piece = Span(start, min(pause.start + margin, middle))
                start = max(pause.end - margin, middle)
            yield piece
        yield Span(start, end)

    def _pause(self, start: int, end: int, size: int) -> Span | None:
        """The longest pause in the second half of a piece, the last of those; or the last before that.

        Not in its first quarter, nor so that less than a quarter is left of the sound.
        """
        first, last = start + size // 4, min(start + size, end - size // 4)
        near = self._quiet[bisect_left(self._quiet, (start,)) : bisect_left(self._quiet, (last,))]
        shortest, long = self._frames(PAUSE_S), self._frames(LONG_PAUSE_S)

        def worth(pause: Span) -> tuple[int, int]:
            is_late = pause.middle >= start + size // 2
            return min(pause.size, long) // shortest if is_late else 0, pause.start

        fitting = (pause for pause in near if first <= pause.middle <= last and pause.size >= shortest)
        return max(fitting, key=worth, default=None)

    def _quietest(self, start: int, end: int, size: int, overlap: int) -> int:
        """Where to cut sound without pauses, towards the end of a piece."""
        last = min(start + size - overlap // 2, end - size // 4)
        first = last - size // 4
        return first + int(self._levels[first : last + 1].argmin())


def _runs(flags: NDArray[np.bool]) -> list[Span]:
    """Where flags are set, one after another."""
    edges = np.flatnonzero(np.diff(flags, prepend=False, append=False))
    return [Span(start, end) for start, end in edges.reshape(-1, 2).tolist()]
