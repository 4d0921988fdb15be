"""Pictures from files that nobody has checked: refused before they can do harm, else upright and opaque.

What a file claims is checked before its pixels are decoded: its format, by its first bytes, its size, how
many frames it has, and how much memory it would take. Large pictures are shrunk while they are decoded
(JPEG) or right after it, in bands (others): in memory they are at most once.
"""

from __future__ import annotations

import math
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Final

from PIL import Image, JpegImagePlugin, UnidentifiedImageError

from seqloom.data.blobs import read_bytes
from seqloom.errors import DataError
from seqloom_vision.claims import check_cost, check_label, check_size, check_sums, form_of
from seqloom_vision.opaque import Mode, is_opaque, opaque

FILE_BYTES: Final = 256 * 2**20
BAND_PIXELS: Final = 2**20  # converted at once
SPARE: Final = 1.5  # times the pixels needed that a picture keeps: shrinking by whole numbers is coarse
ORIENTATION: Final = 0x0112  # EXIF's tag

UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What undoes each orientation of EXIF."""

SIDEWAYS: Final = (5, 6, 7, 8)


def read_picture(raw: str, mode: Mode = "RGB", least: tuple[int, int] | None = None) -> Image.Image:
    """The picture in a file: upright, opaque, in 8 bits.

    Args:
        raw: The path of a file, or of a member of a tar archive.
        mode: Grey or colour.
        least: Columns and rows that are needed: a larger picture is shrunk to half as many again or more,
            as fast as that goes. None for the whole picture.

    Raises:
        DataError: The file is no picture that we read, or a damaged, animated or too large one.
        StorageError: It cannot be read.
    """
    data = read_bytes(raw, FILE_BYTES)
    with _told(raw):
        form = form_of(data)
        check_label(raw, form)
        picture = Image.open(BytesIO(data), formats=[form])
        check_size(picture)
        stored = picture.size
        if least and isinstance(picture, JpegImagePlugin.JpegImageFile):
            columns, rows = (math.ceil(SPARE * extent) for extent in _as_stored(least, picture))
            picture.draft(mode, (columns, rows))
        check_cost(picture, stored, data)
        if form == "PNG":
            check_sums(data)
        picture.load()
        read = _shrunk(picture, mode, _as_stored(least or picture.size, picture))
        turn = UPRIGHT.get(_orientation(picture))
        return read if turn is None else read.transpose(turn)


@contextmanager
def _told(raw: str) -> Iterator[None]:
    """Makes whatever Pillow says of a broken file one error; what it only warns of is no matter."""
    with _UNWARNED:
        try:
            yield
        except DataError as error:
            raise DataError(str(error), raw) from error.__cause__
        except MemoryError:
            raise
        except Image.DecompressionBombError as error:
            raise DataError("a picture of absurd size, as if to break what reads it", raw) from error
        except UnidentifiedImageError as error:
            raise DataError("a picture whose header is damaged", raw) from error
        except Exception as error:  # Pillow's readers raise whatever Python does
            raise DataError(f"a damaged picture: {error}", raw) from error


class _Unwarned:
    """A context without warnings, in which several threads may be: what it changes is the process's own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._filters = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._filters = warnings.catch_warnings()
                self._filters.__enter__()
                warnings.simplefilter("ignore")
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._filters.__exit__(None, None, None)


_UNWARNED: Final = _Unwarned()


def _as_stored(size: tuple[int, int], picture: Image.Image) -> tuple[int, int]:
    """Columns and rows of the upright picture as those of the pixels in the file."""
    return size[::-1] if _orientation(picture) in SIDEWAYS else size


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(ORIENTATION, 1))
    except Exception:  # the pixels may be whole even where what is said of them is not
        return 1


def _shrunk(picture: Image.Image, mode: Mode, least: tuple[int, int]) -> Image.Image:
    """The picture in a mode, shrunk by a whole number; band by band, as a second copy may be too much."""
    columns, rows = picture.size
    factor = max(1, int(min(columns / least[0], rows / least[1]) / SPARE))
    if is_opaque(picture) and picture.mode == mode:
        return picture if factor == 1 else picture.reduce(factor)
    height = max(1, BAND_PIXELS // columns // factor) * factor
    shrunk = Image.new(mode, (-(-columns // factor), -(-rows // factor)))
    for top in range(0, rows, height):
        band = picture.crop((0, top, columns, min(top + height, rows)))
        shrunk.paste(opaque(band, mode).reduce(factor), (0, top // factor))
    return shrunk
