"""An open file of sound: decoded, mixed and resampled a block at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final, Literal, final

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqloom.errors import DataError
from seqloom_audio.resampling import ratio_of, resampled
from seqloom_audio.segments import Segment

Channel = Literal["mix"] | int
"""Which of a recording's channels, from 0; or the mean of all."""

BLOCK: Final = 2**19  # values decoded at once
FULL_SCALE: Final = 32_768
FAR_S: Final = 1e9
HELD_S: Final = 5.0  # of an MP3, what was decoded last: the next segment may begin a little before


@final
class Recording:
    """An open file of sound. It is gone through once, and segments of it are read in their order.

    Args:
        sound: What decodes it, at its beginning.
        raw: What was asked for, as errors tell it.
        segment: What that is.
        frames: How many samples each channel has, None where nobody knows.
    """

    def __init__(self, sound: soundfile.SoundFile, raw: str, segment: Segment, frames: int | None) -> None:
        self.raw = raw
        self.segment = segment
        self._sound = sound
        self._frames = frames
        self._at = 0  # samples decoded
        self._held = np.zeros((0, sound.channels), np.float32)  # the last of them, of an MP3

    @property
    def seconds(self) -> float | None:
        """How long it is; None where nobody knows."""
        return None if self._frames is None else self._frames / self._sound.samplerate

    @property
    def rate_hz(self) -> int:
        """Samples a second, as they are in the file."""
        return int(self._sound.samplerate)

    @property
    def goes_on(self) -> bool:
        """Whether a segment after this one is found sooner here than in the file opened anew."""
        return self._is_mp3 and (self._frames is None or self._at < self._frames)

    def is_ahead(self, segment: Segment) -> bool:
        """Whether a segment of this file can still be read."""
        return self._sample(segment.start_s) >= self._at - len(self._held)

    @property
    def _is_mp3(self) -> bool:
        return bool(self._sound.format == "MP3")

    def stream(self, channel: Channel) -> Iterator[NDArray[np.float32]]:
        """The segment that was asked for as it is in the file, some of it at a time; to be called once.

        Yields:
            [n], from -1 to 1.
        """
        start, stop = self._span(self.segment)
        return (_mono(block, channel) for block in self._blocks(start, stop, math.inf))

    def read(self, segment: Segment, rate_hz: int, channel: Channel, longest_s: float) -> Tensor:
        """A part of the sound: [samples] int16; see :func:`seqloom_audio.reading.read_sound`."""
        rate, start, stop = self._sound.samplerate, *self._span(segment)
        if stop is not None and stop - start > longest_s * rate:
            raise DataError(
                f"{(stop - start) / rate:,.1f} s of sound, of at most {longest_s:,g} that are read; cut it"
            )
        blocks = (torch.from_numpy(_mono(block, channel)) for block in self._blocks(start, stop, longest_s))
        parts = list(map(_rounded, resampled(blocks, ratio_of(rate, rate_hz))))
        if not parts:
            raise DataError("there is no sound in it")
        return torch.cat(parts)

    def _span(self, segment: Segment) -> tuple[int, int | None]:
        """The first sample of a segment, and the one after its last, None for the end that nobody knows."""
        rate = self._sound.samplerate
        start = self._sample(segment.start_s)
        if self._frames is not None and start >= self._frames:
            raise DataError(
                f"a segment from {segment.start_s:g} s on, of a recording of {self._frames / rate:g} s"
            )
        if segment.end_s is None:
            return start, self._frames
        stop = max(start + 1, self._sample(segment.end_s))
        return start, stop if self._frames is None else min(stop, self._frames)

    def _sample(self, seconds: float) -> int:
        """The sample of a moment, which may be as far away as can be written."""
        return round(min(seconds, FAR_S) * self.rate_hz)

    def _blocks(self, start: int, stop: int | None, longest_s: float) -> Iterator[NDArray[np.float32]]:
        """What is decoded of a span, [n, channels] at a time, from -1 to 1."""
        sound, count = self._sound, 0
        if start < self._at:
            held = self._held[start - self._at :][: None if stop is None else stop - start]
            count = len(held)
            yield held
        self._skip(start + count)
        most = BLOCK // sound.channels
        while stop is None or start + count < stop:
            room = most if stop is None else min(most, stop - start - count)
            block = sound.read(out=np.empty((room, sound.channels), np.float32))
            count += len(block)
            if stop is None and count > longest_s * sound.samplerate:
                raise DataError(f"more than the {longest_s:,g} s of sound that are read; cut it")
            if not np.isfinite(block).all():
                raise DataError("damaged: some of its samples are no numbers")
            self._hold(block.clip(-1, 1, out=block))
            yield block
            if len(block) < room:
                break
        if stop is not None and count < stop - start:
            raise DataError(f"cut short or damaged: {count:,} of {stop - start:,} samples could be decoded")

    def _skip(self, start: int) -> None:
        """Goes to a sample. An MP3 is decoded up to it: its frames need those before them."""
        if start <= self._at:
            return
        self._held = self._held[:0]
        if not self._is_mp3:
            self._sound.seek(start)
            self._at = start
            return
        waste = np.empty((min(start - self._at, BLOCK), self._sound.channels), np.float32)
        while self._at < start and (count := len(self._sound.read(out=waste[: start - self._at]))):
            self._at += count

    def _hold(self, block: NDArray[np.float32]) -> None:
        """Keeps the end of what was decoded, where another segment may be read of it."""
        self._at += len(block)
        if self._is_mp3:
            kept = round(HELD_S * self.rate_hz)
            self._held = np.concatenate([self._held, block])[-kept:].copy()


def _mono(block: NDArray[np.float32], channel: Channel) -> NDArray[np.float32]:
    if channel == "mix" and block.shape[1] > 1:
        mixed: NDArray[np.float32] = block.mean(1)
        return mixed
    if channel == "mix":  # a mean of one takes a fifth of the time that decoding does
        return block[:, 0]
    if channel >= block.shape[1]:
        raise DataError(f"channel {channel} was asked for, counted from 0, and there are {block.shape[1]}")
    return block[:, channel]


def _rounded(block: Tensor) -> Tensor:
    """Numbers from -1 to 1 as [n] int16."""
    return (block * FULL_SCALE).round_().clamp_(-FULL_SCALE, FULL_SCALE - 1).to(torch.int16)
