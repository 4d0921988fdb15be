"""Sound from files that nobody has checked: refused before it can do harm, else mono, in 16 bits.

What a file claims is checked before it is decoded: its format, by its first bytes, its rate, channels and
length. What was decoded is held against the claim.
"""

from __future__ import annotations

import io
import threading
import weakref
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Final, final

import soundfile
from torch import Tensor

from seqloom.data.blobs import holder
from seqloom.errors import DataError
from seqloom_audio.claims.check import check_rate, checked
from seqloom_audio.extent import opened
from seqloom_audio.recording import Channel, Recording
from seqloom_audio.segments import segment_of

BUFFER_BYTES: Final = 2**16  # read at once: decoders ask for little at a time
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
    with ExitStack() as stack:
        recording = _go_on(raw, stack) or stack.enter_context(opened_sound(raw))
        sound = recording.read(recording.segment, rate_hz, channel, longest_s)
        if recording.goes_on:
            _left.recording = _Left(recording, stack.pop_all())
    return sound


@contextmanager
def opened_sound(raw: str) -> Iterator[Recording]:
    """A sound's file whose claims have been checked; see :func:`read_sound`."""
    segment = segment_of(raw)
    with opened(segment.file) as stream:
        recording = None
        try:
            form, claim = checked(stream, segment.file)
            stream.seek(0)
            with _Forward(io.BufferedReader(stream, BUFFER_BYTES)) as sound:
                check_rate(sound.samplerate)
                frames = None if sound.frames > UNKNOWN else sound.frames
                found = (sound.channels, claim.rate_hz and sound.samplerate, claim.frames and frames)
                if sound.format not in FORMATS[form] or found != claim:
                    raise DataError(f"a damaged {form}: it contradicts itself")
                recording = Recording(sound, raw, segment, frames)
                yield recording
        except (DataError, soundfile.LibsndfileError) as error:
            told = raw if recording is None else recording.raw
            if stream.error is not None:
                raise stream.error from error
            if isinstance(error, DataError):
                raise DataError(str(error), told) from error.__cause__
            raise DataError(f"damaged: {error.error_string.removeprefix('Error : ')}", told) from error


class _Forward(soundfile.SoundFile):  # type: ignore[misc]
    """Sound that is read from its beginning to its end.

    soundfile seeks after each block to where it is; decoders lose time by that, and that of MP3 its thread.
    """

    def seekable(self) -> bool:
        return False


# From one segment to the next --------------------------------------------------------------------------


@final
class _Left:
    """An open recording, left where the next segment may go on; closed when nobody has it any more.

    Args:
        recording: What was read of.
        stack: Closes it.
    """

    def __init__(self, recording: Recording, stack: ExitStack) -> None:
        self.recording = recording
        self.stamp = _stamp(recording.segment.file)
        self.closing = weakref.finalize(self, stack.close)
        self._stack = stack

    def handed_over(self) -> ExitStack:
        """What closes it, from now on somebody else's affair."""
        self.closing.detach()
        return self._stack


_left = threading.local()  # its `recording`: each thread goes on with its own


def _go_on(raw: str, stack: ExitStack) -> Recording | None:
    """The recording that this thread left, where this segment is ahead in it; ``stack`` then closes it."""
    left: _Left | None = getattr(_left, "recording", None)
    if left is None:
        return None
    _left.recording = None
    segment, recording = segment_of(raw), left.recording
    is_same = segment.file == recording.segment.file and _stamp(segment.file) == left.stamp
    if not is_same or not recording.is_ahead(segment):
        left.closing()
        return None
    stack.push(left.handed_over().__exit__)
    recording.raw, recording.segment = raw, segment
    return recording


def _stamp(file: str) -> tuple[int, int] | None:
    """What changes when a file does."""
    with suppress(OSError):
        status = holder(file).stat()
        return status.st_size, status.st_mtime_ns
    return None
