"""What is in a data file: its hash, its size and its rows, in one pass over its bytes."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple, final

from seqloom.data.blobs import ARCHIVE
from seqloom.data.parquet import SUFFIX
from seqloom.errors import StorageError

BLOCK_BYTES: Final = 2**20
UNCOUNTED: Final = (".gz", ARCHIVE)
"""Files whose rows would take another pass, and more time than the hash does."""


class Content(NamedTuple):
    """What a file holds.

    Attributes:
        sha256: Of its bytes.
        bytes: How many these are.
        rows: Its examples, as they are: of a text its lines; None where they were not counted.
    """

    sha256: str
    bytes: int
    rows: int | None


def content_of(file: Path, *, header: bool = False) -> Content:
    """Reads a file once.

    Args:
        file: A text, a table or an archive; a name tells which.
        header: Whether the first row of a table of text names its columns.

    Raises:
        StorageError: It cannot be read.
    """
    rows = _Rows(quoted=file.suffix == ".csv")
    digest, size = hashlib.sha256(), 0
    try:
        with file.open("rb") as stream:
            while block := stream.read(BLOCK_BYTES):
                digest.update(block)
                size += len(block)
                rows.add(block)
    except OSError as error:
        raise StorageError(f"{file}: cannot read it: {error.strerror}") from error
    count: int | None = rows.count() - header
    if file.suffix == SUFFIX:
        count = _parquet_rows(file)
    elif file.suffix in UNCOUNTED:
        count = None
    return Content(digest.hexdigest(), size, count)


@final
class _Rows:
    """Counts lines as blocks come.

    Args:
        quoted: Whether the ends of lines within quotes are text (RFC 4180).
    """

    def __init__(self, *, quoted: bool) -> None:
        self._quoted = quoted
        self._ends = 0
        self._quotes = 0
        self._last = b"\n"

    def add(self, block: bytes) -> None:
        if self._quoted:
            parts = block.split(b'"')
            outside = parts[self._quotes % 2 :: 2]
            self._ends += sum(part.count(b"\n") for part in outside)
            self._quotes += len(parts) - 1
        else:
            self._ends += block.count(b"\n")
        self._last = block[-1:]

    def count(self) -> int:
        return self._ends + (self._last != b"\n")


def _parquet_rows(file: Path) -> int | None:
    """What the file's end says; None where it cannot be read: whoever reads the rows says why."""
    with suppress(Exception):
        from pyarrow.parquet import ParquetFile  # noqa: PLC0415 - an extra

        with ParquetFile(file) as opened:
            return int(opened.metadata.num_rows)
    return None
