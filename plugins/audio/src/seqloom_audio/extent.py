"""A file to read sound from, wherever it lies."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, final

from seqloom.data.blobs import Span, archive_members, holder
from seqloom.errors import DataError, StorageError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


@final
class Extent(io.RawIOBase):
    """Some of a file's bytes as a stream of their own.

    Whoever calls it from C cannot hear of errors: they are kept, and the stream seems to end there.

    Args:
        file: Open for reading, without a buffer.
        span: Where the bytes lie in it.

    Attributes:
        size: How many bytes there are.
        error: What went wrong while reading.
    """

    def __init__(self, file: BinaryIO, span: Span) -> None:
        super().__init__()
        self.size = span.size
        self.error: OSError | None = None
        self._file = file
        self._start = span.start
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        self._at = min(max(0, base + offset), self.size)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")[: self.size - self._at]
        try:
            self._file.seek(self._start + self._at)
            count: int = self._file.readinto(view)  # type: ignore[attr-defined]
        except OSError as error:
            self.error = error
            return 0
        self._at += count
        return count


@contextmanager
def opened(path: str) -> Iterator[Extent]:
    """The bytes of a plain file, or of a plain file within a tar archive, to read and seek in.

    Raises:
        DataError: It is not there, is no plain file, or its archive is broken.
        StorageError: It cannot be read.
    """
    try:
        file = holder(path)
        if not stat.S_ISREG(file.stat().st_mode):  # to open a pipe may take for ever
            raise DataError("this is no plain file", file)
        with file.open("rb", buffering=0) as stream:
            yield Extent(stream, _span(Path(path), file))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DataError("there is no such file", path) from error
    except OSError as error:
        raise StorageError(f"{path}: cannot read it: {error.strerror}") from error


def _span(path: Path, file: Path) -> Span:
    if path == file:
        return Span(0, file.stat().st_size)
    members, name = archive_members(file), path.relative_to(file).as_posix()
    if name not in members:
        raise DataError(f"the archive holds no plain file '{name}'", file)
    return members[name]
