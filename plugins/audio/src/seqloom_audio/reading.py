"""Sound from files that nobody has checked: refused before it can do harm, else mono, in 16 bits.

What a file claims is checked before it is decoded: its format, by its first bytes, its rate, channels and
length. It is decoded, mixed and resampled a block at a time; what was decoded is held against the claim.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal, final

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqloom.errors import DataError
from seqloom_audio.claims.check import check_rate, checked
from seqloom_audio.extent import opened
from seqloom_audio.resampling import ratio_of, resampled
from seqloom_audio.segments import Segment, segment_of

Channel = Literal["mix"] | int
"""Which of a recording's channels, from 0; or the mean of all."""

BLOCK: Final = 2**19  # values decoded at once
FULL_SCALE: Final = 32_768
UNKNOWN: Final = 2**62  # libsndfile's number of samples where a file tells none
FORMATS: Final = {"WAV": ("WAV", "WAVEX"), "FLAC": ("FLAC",), "OGG": ("OGG",), "MP3": ("MP3",)}
"""What libsndfile calls the formats that we found."""


def read_sound(raw: str, rate_hz: int, channel: Channel = "mix", longest_s: float = 3600) -> Tensor:
    """The sound in a file, or in a segment of it: [samples] int16.

    Args:
        raw: The path of a file, or of a member of a tar archive; perhaps with a segment, as
            ``talk.flac#t=12.5,17.25``.
        rate_hz: Samples a second to give.
        channel: Which channel, or all of them mixed.
        longest_s: Seconds at most; more are an error.

    Raises:
        DataError: The file is no sound that we read, or a damaged or too long one.
        StorageError: It cannot be read.
    """
    with opened_sound(raw) as recording:
        return recording.read(recording.segment, rate_hz, channel, longest_s)


@contextmanager
def opened_sound(raw: str) -> Iterator[Recording]:
    """A sound's file whose claims have been checked; see :func:`read_sound`."""
    segment = segment_of(raw)
    with opened(segment.file) as stream:
        try:
            form, claim = checked(stream, segment.file)
            stream.seek(0)
            with _Forward(stream) as sound:
                check_rate(sound.samplerate)
                frames = None if sound.frames > UNKNOWN else sound.frames
                found = (sound.channels, claim.rate_hz and sound.samplerate, claim.frames and frames)
                if sound.format not in FORMATS[form] or found != claim:
                    raise DataError(f"a damaged {form}: it contradicts itself")
                yield Recording(sound, segment, frames)
        except (DataError, soundfile.LibsndfileError) as error:
            if stream.error is not None:
                raise stream.error from error
            if isinstance(error, DataError):
                raise DataError(str(error), raw) from error.__cause__
            raise DataError(f"damaged: {error.error_string.removeprefix('Error : ')}", raw) from error


class _Forward(soundfile.SoundFile):  # type: ignore[misc]
    """Sound that is read from its beginning to its end.

    soundfile seeks after each block to where it is; decoders lose time by that, and that of MP3 its thread.
    """

    def seekable(self) -> bool:
        return False


@final
class Recording:
    """An open file of sound.

    Args:
        sound: What decodes it, at its beginning.
        segment: What was asked for.
        frames: How many samples each channel has, None where nobody knows.
    """

    def __init__(self, sound: soundfile.SoundFile, segment: Segment, frames: int | None) -> None:
        self.segment = segment
        self._sound = sound
        self._frames = frames

    @property
    def seconds(self) -> float | None:
        """How long it is; None where nobody knows."""
        return None if self._frames is None else self._frames / self._sound.samplerate

    @property
    def rate_hz(self) -> int:
        """Samples a second, as they are in the file."""
        return int(self._sound.samplerate)

    def stream(self, channel: Channel) -> Iterator[NDArray[np.float32]]:
        """The segment that was asked for as it is in the file, some of it at a time; to be called once.

        Yields:
            [n], from -1 to 1.
        """
        start, stop = self._span(self.segment)
        return (_mono(block, channel) for block in self._blocks(start, stop, math.inf))

    def read(self, segment: Segment, rate_hz: int, channel: Channel, longest_s: float) -> Tensor:
        """A part of the sound: [samples] int16; see :func:`read_sound`. To be called once."""
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
        start = round(segment.start_s * rate)
        if self._frames is not None and start >= self._frames:
            raise DataError(
                f"a segment from {segment.start_s:g} s on, of a recording of {self._frames / rate:g} s"
            )
        if segment.end_s is None:
            return start, self._frames
        stop = max(start + 1, round(segment.end_s * rate))
        return start, stop if self._frames is None else min(stop, self._frames)

    def _blocks(self, start: int, stop: int | None, longest_s: float) -> Iterator[NDArray[np.float32]]:
        """What is decoded of a span, [n, channels] at a time, from -1 to 1."""
        self._skip(start)
        sound, count = self._sound, 0
        buffer = np.empty((BLOCK // sound.channels, sound.channels), np.float32)
        while stop is None or start + count < stop:
            room = len(buffer) if stop is None else min(len(buffer), stop - start - count)
            block = sound.read(out=buffer[:room])
            count += len(block)
            if stop is None and count > longest_s * sound.samplerate:
                raise DataError(f"more than the {longest_s:,g} s of sound that are read; cut it")
            if not np.isfinite(block).all():
                raise DataError("damaged: some of its samples are no numbers")
            yield block.clip(-1, 1)
            if len(block) < room:
                break
        if stop is not None and count < stop - start:
            raise DataError(f"cut short or damaged: {count:,} of {stop - start:,} samples could be decoded")

    def _skip(self, count: int) -> None:
        """Goes to a sample. An MP3 is decoded up to it: its frames need those before them."""
        if count and self._sound.format != "MP3":
            self._sound.seek(count)
            return
        waste = np.empty((min(count, BLOCK), self._sound.channels), np.float32)
        while count > 0 and len(self._sound.read(out=waste[:count])):
            count -= min(count, len(waste))


def _mono(block: NDArray[np.float32], channel: Channel) -> NDArray[np.float32]:
    if channel == "mix":
        mixed: NDArray[np.float32] = block.mean(1)
        return mixed
    if channel >= block.shape[1]:
        raise DataError(f"channel {channel} was asked for, counted from 0, and there are {block.shape[1]}")
    return block[:, channel]


def _rounded(block: Tensor) -> Tensor:
    """Numbers from -1 to 1 as [n] int16."""
    return (block * FULL_SCALE).round_().clamp_(-FULL_SCALE, FULL_SCALE - 1).to(torch.int16)
