"""How loud is a recording from moment to moment, and when does nobody speak?

A pause is where sound is little louder than the noise about it, which is what it falls to in its quietest
moments. So neither how loud a recording is nor how noisy makes a difference, and noise may change.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

FRAME_S: Final = 0.02
"""What one level is of."""

SMOOTH: Final = 5  # frames whose median counts: no click, and no closure of a stop, makes a difference
CONTEXT_S: Final = 30.0  # before and after, in which the noise is found
STEP_S: Final = 5.0  # from one such place to the next
NOISE, SPEECH = 5, 95  # the percentiles of levels that tell how loud they are
CONTRAST_DB: Final = 10.0  # of speech above noise; where there is less, no pause can be told
LOUDER: Final = 0.3  # a pause goes up to this share of the way from noise to speech,
LOUDER_DB: Final = 10.0  # but not farther
SILENT_DB: Final = -90.0
"""Nothing but the rounding of samples to 16 bits; full scale is 0."""

Levels = NDArray[np.float32]
"""[N] in dB below full scale, of one frame after another."""


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


def levels_of(blocks: Iterable[NDArray[np.float32]], frame: int) -> Levels:
    """The power of each frame beside its mean; the last may be a shorter one.

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


def _decibels(frames: NDArray[np.float32]) -> Levels:
    levels: Levels = 10 * np.log10(frames.var(1) + np.float32(1e-12))
    return levels


def smoothed(levels: Levels) -> Levels:
    """Each level and its neighbours as one: at least one level."""
    padded = np.pad(levels, SMOOTH // 2, mode="edge")
    medians: Levels = np.median(sliding_window_view(padded, SMOOTH), axis=1)
    return medians


def quiet_frames(levels: Levels, frame_s: float) -> NDArray[np.bool]:
    """[N] whether a frame is no louder than a pause.

    Args:
        levels: Of the whole recording, smoothed.
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
            quiet[start : start + step] |= levels[start : start + step] < loudest_pause(about, loudest)
    return quiet


def loudest_pause(levels: Levels, loudest: float) -> float:
    """Up to which level in dB there is a pause, where these levels are about.

    Args:
        levels: None of them silent.
        loudest: How loud the whole recording gets, by which minutes of noise are told from speech.
    """
    noise, speech = np.percentile(levels, [NOISE, SPEECH]).tolist()
    contrast = (speech if speech - noise >= CONTRAST_DB else loudest) - noise
    return noise + min(LOUDER * contrast, LOUDER_DB) if contrast >= CONTRAST_DB else SILENT_DB


def spans_of(flags: NDArray[np.bool]) -> list[Span]:
    """Where flags [N] are set, one span after another."""
    edges = np.flatnonzero(np.diff(flags, prepend=False, append=False))
    return [Span(start, end) for start, end in edges.reshape(-1, 2).tolist()]
