"""Which lines does a file have? Data files by name within a root, read line by line, plain or gzip."""

from __future__ import annotations

import gzip
import stat
import zlib
from collections.abc import Iterable, Iterator
from io import BufferedReader, FileIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, final

from seqloom.errors import DataError, StorageError, did_you_mean

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

WILDCARDS = frozenset("*?[")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
BUFFER_BYTES = 2**16


def find_file(name: str, root: Path) -> Path:
    """The file that ``name`` stands for, relative to ``root``; absolute, its links not followed.

    Raises:
        DataError: It is not there, or it lies outside the root (by ``..``, as an absolute path or
            through a symbolic link).
    """
    try:
        return _found(name, root.resolve())
    except (OSError, RuntimeError, ValueError) as error:  # no access; links in a circle; a NUL
        raise DataError(f"'{name}' cannot be looked up in {root}: {error}") from error


def find_files(pattern: str, root: Path) -> list[Path]:
    """The files that a name or a pattern of names (``part-*.tsv``) stands for, sorted.

    Raises:
        DataError: There is none, or one of them lies outside the root.
    """
    if not WILDCARDS.intersection(pattern) or (root / pattern).exists():
        return [find_file(pattern, root)]
    try:
        names = sorted(str(path.relative_to(root)) for path in root.glob(pattern) if not path.is_dir())
    except (NotImplementedError, ValueError) as error:  # an absolute pattern; `..` out of the root
        raise DataError(f"'{pattern}' is no pattern within {root}: {error}") from error
    if not names:
        raise DataError(f"no file matches '{pattern}' in {root}; look at data.root")
    return [find_file(name, root) for name in names]


def _found(name: str, root: Path) -> Path:
    path = root / name
    if not path.resolve().is_relative_to(root):
        raise DataError(f"'{name}' lies outside the data's root {root}; move it there, or move data.root")
    if path.is_dir():
        raise DataError(f"'{name}' is a folder of {root}, not a file")
    if not path.is_file():
        near = nearest_name(path) if root.is_dir() else " That folder itself is missing; look at data.root."
        raise DataError(f"no file '{name}' in {root}.{near}")
    return path


@final
class Finder:
    """Looks up many files within a root, each folder's own place but once.

    Args:
        root: As :func:`find_file` takes it.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._whole: Path | None = None
        self._is_inside: dict[str, bool] = {}

    def find(self, name: str) -> Path:
        """What :func:`find_file` finds.

        Raises:
            DataError: As there.
        """
        folder, _, last = name.rpartition("/")
        try:
            self._whole = self._whole or self._root.resolve()
            if folder not in self._is_inside:
                self._is_inside[folder] = (self._whole / folder).resolve().is_relative_to(self._whole)
            path = self._whole / name
            if last != ".." and self._is_inside[folder] and stat.S_ISREG(path.lstat().st_mode):
                return path
        except (OSError, RuntimeError, ValueError):
            pass  # it is told below, in words
        return find_file(name, self._root)


def nearest_name(path: Path) -> str:
    """The nearest name beside a missing file; where its folder is missing too, beside that."""
    while not path.parent.is_dir():
        path = path.parent
    return did_you_mean(path.name, [neighbour.name for neighbour in path.parent.iterdir()])


@final
class Meter:
    """How much of some files has been read, as they lie on the disk.

    Args:
        files: All that will be read, each as often as it will be.

    Attributes:
        total: Bytes of them.
        done: Bytes read.
    """

    def __init__(self, files: Iterable[Path] = ()) -> None:
        self.total = sum(file.stat().st_size for file in files)
        self.done = 0

    def read(self, count: int) -> None:
        """Counts bytes that were read in another way than from what :meth:`open` gives."""
        self.done += count

    @property
    def share(self) -> float:
        """How much has been read, from 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0

    def open(self, file: Path) -> BinaryIO:
        """A file to read whose bytes count."""
        return BufferedReader(_Counted(file, self), BUFFER_BYTES)


class _Counted(FileIO):
    def __init__(self, file: Path, meter: Meter) -> None:
        super().__init__(file)
        self._meter = meter

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        count = super().readinto(buffer)
        self._meter.done += count
        return count


class UndecodableError(DataError):
    """A line that is not UTF-8.

    Attributes:
        text: The line with U+FFFD where it is not.
    """

    text = ""


def read_lines(path: Path) -> Iterator[str]:
    r"""The lines of a UTF-8 text file, decompressed where its name ends in ``.gz``.

    Only ``\n`` and ``\r\n`` end a line, and they are taken off: U+2028 and its like are text. A byte
    order mark at the start is taken off too.

    Raises:
        DataError: The file is empty, is no gzip file inside, or a line is not UTF-8.
        StorageError: The file cannot be read.
    """
    return _strict(scan_lines(path))


def scan_lines(path: Path, meter: Meter | None = None) -> Iterator[str | UndecodableError]:
    """Like :func:`read_lines`, but a line that is not UTF-8 comes as an error, not raised."""
    number = 0
    try:
        with (meter or Meter()).open(path) as raw:
            lines = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
            for number, line in enumerate(lines, 1):
                yield _decoded(line, path, number)
    except FileNotFoundError as error:
        raise DataError("there is no such file", path) from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"broken gzip: {error}", path, number + 1) from error
    except OSError as error:
        raise StorageError(f"{path}: cannot read it: {error.strerror}") from error
    if number == 0:
        raise DataError("the file is empty", path)


def decoded_lines(lines: Iterable[bytes], name: Path | str) -> Iterator[str]:
    """Lines of bytes as :func:`read_lines` has them; ``name`` is for errors."""
    return _strict(_decoded(line, name, number) for number, line in enumerate(lines, 1))


def _strict(lines: Iterable[str | UndecodableError]) -> Iterator[str]:
    for line in lines:
        if isinstance(line, UndecodableError):
            raise line
        yield line


def _decoded(line: bytes, path: Path | str, number: int) -> str | UndecodableError:
    if number == 1:
        line = line.removeprefix(BYTE_ORDER_MARK)
    line = line.removesuffix(b"\n").removesuffix(b"\r")
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        found = f"byte 0x{line[error.start]:02x} at offset {error.start} of the line"
        message = f"not UTF-8: {found} ({error.reason}); convert the file"
        undecodable = UndecodableError(message, path, number)
        undecodable.text = line.decode(errors="replace")
        return undecodable
