"""Where does the sound of a word begin and end?

CTC says a letter at some moment while it sounds, and nothing of how long that lasts. How loud the recording
is tells it: a word sounds from the pause before it to the pause after it. The constants are chosen on
strings of spoken digits of whose every word the time is known (benchmarks/speech_data.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from seqloom_audio.reading import opened_sound
from seqloom_audio.recording import Channel
from seqloom_speech.levels import Levels, Span, levels_of, loudest_pause, spans_of
from seqloom_speech.words import Word

FRAME_S: Final = 0.01
SOFTEST_DB: Final = 30.0  # below the loudest frame of a word: what is softer is not of the word
AROUND_S: Final = 0.05  # what CTC says may be so much too early or too late
BEFORE_S: Final = 0.1  # a word's sound begins so long before its first token, at most,
AFTER_S: Final = 0.15  # and ends so long after its last one,
WITHIN_S: Final = 0.03  # or so long within them


def sounding(words: Sequence[Word], raw: str, channel: Channel) -> tuple[Word, ...]:
    """Words with times of their sound.

    Args:
        words: In order, with the times of their tokens by CTC, in seconds from the beginning of ``raw``.
        raw: The path of a recording, or a segment of one.
        channel: Which channel is heard.

    Raises:
        DataError: It is no sound that we read.
        StorageError: It cannot be read.
    """
    if not words:
        return ()
    with opened_sound(raw) as recording:
        frame = round(recording.rate_hz * FRAME_S)
        levels = levels_of(recording.stream(channel), frame)
        frame_s = frame / recording.rate_hz
    return at_sound(words, levels, frame_s) if len(levels) else tuple(words)


def at_sound(words: Sequence[Word], levels: Levels, frame_s: float) -> tuple[Word, ...]:
    """Words with times of their sound.

    Args:
        words: At least one; in order, with the times of their tokens.
        levels: Of the recording that they are in; at least one.
        frame_s: Seconds of a frame.
    """
    silences = _Silences(levels, frame_s)
    moments = [0.0, *(moment for word in words for moment in (word.start_s, word.end_s))]
    moments.append(max(moments[-1], len(levels) * frame_s))
    edges = []
    for word, before_s, after_s in zip(words, moments[:-2:2], moments[3::2], strict=True):
        softest = silences.softest(word, before_s, after_s)
        begin_s = silences.longest(before_s, word.start_s, softest)[1]
        end_s = silences.longest(word.end_s, after_s, softest)[0]
        edges += [
            min(max(begin_s, word.start_s - BEFORE_S), word.start_s + WITHIN_S),
            max(min(end_s, word.end_s + AFTER_S), word.end_s - WITHIN_S),
        ]
    for place in range(1, len(edges) - 1, 2):  # no word begins before another ends
        if edges[place] > edges[place + 1]:
            edges[place] = edges[place + 1] = (edges[place] + edges[place + 1]) / 2
    return tuple(
        _lasting(word, begin_s, max(begin_s, end_s))
        for word, begin_s, end_s in zip(words, edges[::2], edges[1::2], strict=True)
    )


class _Silences:
    """Where a recording is so quiet that a word does not sound there."""

    def __init__(self, levels: Levels, frame_s: float) -> None:
        self._levels = levels
        self._frame_s = frame_s

    def softest(self, word: Word, before_s: float, after_s: float) -> float:
        """The level in dB below which nothing is of the word, between the words before and after it."""
        loudest = float(self._about(word.start_s, word.end_s).max())
        return max(loudest - SOFTEST_DB, loudest_pause(self._about(before_s, after_s), loudest))

    def _about(self, from_s: float, to_s: float) -> Levels:
        first, last = ((at + more) / self._frame_s for at, more in ((from_s, -AROUND_S), (to_s, AROUND_S)))
        start = min(max(0, round(first)), len(self._levels) - 1)
        return self._levels[start : max(start, round(last)) + 1]

    def longest(self, from_s: float, to_s: float, softest: float) -> tuple[float, float]:
        """When the silence that takes most of the time between two moments is; or their middle."""
        first, last = ((at + more) / self._frame_s for at, more in ((from_s, -AROUND_S), (to_s, AROUND_S)))
        near = [
            span
            for span in spans_of(self._levels < softest)
            if span.end * self._frame_s > from_s and span.start * self._frame_s < to_s
        ]
        if not near:
            return (from_s + to_s) / 2, (from_s + to_s) / 2

        def shared(span: Span) -> float:
            return min(span.end, last) - max(span.start, first)

        start, end = max(near, key=shared)
        return start * self._frame_s, end * self._frame_s


def _lasting(word: Word, start_s: float, end_s: float) -> Word:
    """The word with other ends, and so its first and its last part; they keep what is within."""
    inner_s = [min(max(part.start_s, start_s), end_s) for part in word.parts[1:]]
    begins_s = [start_s, *inner_s]
    ends_s = [*(min(max(part.end_s, start_s), end_s) for part in word.parts[:-1]), end_s]
    parts = tuple(
        part._replace(start_s=begin, end_s=max(begin, end))
        for part, begin, end in zip(word.parts, begins_s, ends_s, strict=True)
    )
    return word._replace(start_s=start_s, end_s=end_s, parts=parts)
