"""Spectra with words below them, drawn as music is: from left to right, then the next stave."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from seqloom_speech.words import Part, Word

SECOND: Final = 200  # pixels, as all that follows
MARGIN: Final = 28
CLOCK: Final = 34
SPECTRUM: Final = 190
TICK: Final = 8
PARTS: Final = 40
BAR: Final = 8
WORDS: Final = 62
BETWEEN: Final = 22

INK, FAINT, RULE = "#1d2433", "#8790a0", "#d5dae2"
SURE, UNSURE = np.array([38, 110, 196]), np.array([240, 150, 60])  # the colours of a bar
PAPER_TO_INK: Final = np.array(
    [(250, 251, 253), (214, 229, 244), (143, 187, 220), (63, 120, 184), (40, 54, 122), (22, 16, 56)]
)
"""Colours from silence to the loudest sound."""


class Stave(NamedTuple):
    """A few seconds of a recording.

    Attributes:
        spectrum: [T, F], its frames evenly spaced.
        start_s: When the first of them begins, in seconds of the recording.
        end_s: When the last one ends.
        words: Those that begin within.
    """

    spectrum: NDArray[np.float32]
    start_s: float
    end_s: float
    words: Sequence[Word]


def drawn(staves: Sequence[Stave]) -> Image.Image:
    """Staves below each other, of one scale of time and one of loudness.

    Args:
        staves: At least one.
    """
    has_parts = any(len(word.parts) > 1 for stave in staves for word in stave.words)
    height = CLOCK + SPECTRUM + TICK + PARTS * has_parts + WORDS
    width = max(_width(stave) for stave in staves) + 2 * MARGIN
    page = Image.new("RGB", (width, BETWEEN + len(staves) * (height + BETWEEN)), "white")
    loud = np.concatenate([stave.spectrum for stave in staves])
    low, high = np.percentile(loud, (10, 99.8))
    for number, stave in enumerate(staves):
        top = BETWEEN + number * (height + BETWEEN)
        _draw(page, stave, top, (float(low), float(high)), has_parts=has_parts)
    return page


def _draw(
    page: Image.Image, stave: Stave, top: int, loudness: tuple[float, float], *, has_parts: bool
) -> None:
    pen = ImageDraw.Draw(page)
    _draw_clock(pen, stave, top)
    top += CLOCK
    page.paste(coloured(stave.spectrum, (_width(stave), SPECTRUM), loudness), (MARGIN, top))
    top += SPECTRUM
    if has_parts:
        _draw_parts(pen, stave, top)
        top += PARTS
    _draw_words(pen, stave, top + TICK)


def _draw_clock(pen: ImageDraw.ImageDraw, stave: Stave, top: int) -> None:
    """Seconds above the spectrum, and halves of them without a number."""
    bottom = top + CLOCK - 3
    for half in range(math.ceil(2 * stave.start_s), math.floor(2 * stave.end_s) + 1):
        x, is_whole = _x(stave, half / 2), half % 2 == 0
        pen.line((x, bottom - (TICK if is_whole else TICK // 2), x, bottom), FAINT)
        if is_whole:
            pen.text((x, bottom - TICK - 2), clock(half // 2), FAINT, font(15), anchor="ms")


def _draw_parts(pen: ImageDraw.ImageDraw, stave: Stave, top: int) -> None:
    """What tokens write, each where it is said, with a tick."""
    parts = [part for word in stave.words for part in word.parts]
    for part, x in zip(parts, _places(stave, parts, 19, 1), strict=True):
        middle = _middle(stave, part)
        pen.line((middle, top, middle, top + TICK - 2), FAINT, 2)
        pen.text((x, top + TICK + 20), part.text, INK, font(19), anchor="ms")


def _draw_words(pen: ImageDraw.ImageDraw, stave: Stave, top: int) -> None:
    """Bars as long as words last, the words, and how sure they are."""
    for word, x in zip(stave.words, _places(stave, stave.words, 21, 10), strict=True):
        start, end = _x(stave, word.start_s), _x(stave, min(word.end_s, stave.end_s))
        bar = (start, top, max(end, start + BAR), top + BAR)
        pen.rounded_rectangle(bar, BAR // 2, _colour(word.confidence))
        pen.text((x, top + BAR + 24), word.text, INK, font(21), anchor="ms")
        pen.text((x, top + BAR + 43), f"{word.confidence:.0%}", FAINT, font(14), anchor="ms")


def coloured(
    spectrum: NDArray[np.float32], size: tuple[int, int], loudness: tuple[float, float]
) -> Image.Image:
    """A spectrum [T, F] as a picture, its lowest frequency at the bottom.

    Args:
        spectrum: Its values.
        size: Columns and rows of pixels.
        loudness: The values that are as light and as dark as can be.
    """
    low, high = loudness
    shades = ((spectrum.T[::-1] - low) / max(high - low, 1e-6)).clip(0, 1)
    smooth = Image.fromarray(shades.astype(np.float32)).resize(size, Image.Resampling.BICUBIC)
    places = np.asarray(smooth).clip(0, 1) * (len(PAPER_TO_INK) - 1)
    stops = np.arange(len(PAPER_TO_INK))
    channels = [np.interp(places, stops, channel) for channel in PAPER_TO_INK.T]
    return Image.fromarray(np.stack(channels, 2).round().astype(np.uint8))


def clock(seconds: int) -> str:
    """``7 s``, ``1:05``, ``1:02:05``."""
    hours, minutes = divmod(seconds // 60, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{seconds % 60:02d}"
    return f"{minutes}:{seconds % 60:02d}" if minutes else f"{seconds} s"


def _places(stave: Stave, texts: Sequence[Part | Word], size: int, gap: int) -> Iterator[float]:
    """Where the middle of each text is: where it is said, or further right, where there is room."""
    free = -math.inf
    for text in texts:
        half = font(size).getlength(text.text) / 2
        x = max(_middle(stave, text), free + half, MARGIN / 2 + half)
        free = x + half + gap
        yield x


def _middle(stave: Stave, said: Part | Word) -> float:
    return (_x(stave, said.start_s) + _x(stave, said.end_s)) / 2


def _x(stave: Stave, seconds: float) -> float:
    return MARGIN + (seconds - stave.start_s) * SECOND


def _width(stave: Stave) -> int:
    return max(1, round((stave.end_s - stave.start_s) * SECOND))


def _colour(confidence: float) -> tuple[int, ...]:
    return tuple((UNSURE + (SURE - UNSURE) * confidence).round().astype(int).tolist())


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which comes with matplotlib and has the letters of most European languages."""
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", size)
