"""Which bytes does an example name? Those of a file, or of a member of a tar archive."""

from __future__ import annotations

import hashlib
import posixpath
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from tarfile import TarError, TarFile
from typing import BinaryIO, Final, NamedTuple

from seqloom.errors import DataError, StorageError

ARCHIVE: Final = ".tar"
REMEMBERED: Final = 16  # archives whose members' places a process keeps
BLOCK_BYTES: Final = 2**20  # read at once
REST_BYTES: Final = 2**20  # past the end of an archive, searched for what nobody would read


class Span(NamedTuple):
    """Where bytes lie in a file."""

    start: int
    size: int


def read_bytes(raw: str, limit: int | None = None) -> bytes:
    """The bytes of a plain file, or of a plain file within a tar archive (``photos.tar/1.jpg``).

    Args:
        raw: Its path, as :meth:`seqloom.modality.Modality.read` is given it.
        limit: Bytes at most; more are an error, and are not read. None for any number.

    Raises:
        DataError: It is not there, is no plain file, is larger than ``limit``, or its archive is broken.
        StorageError: It cannot be read.
    """
    path = Path(raw)
    file = holder(raw)
    with _errors(path):
        span = _span(path, file)
        if limit is not None and span.size > limit:
            raise DataError(f"{span.size:,} bytes, more than the {limit:,} that are read", path)
        with file.open("rb") as stream:
            stream.seek(span.start)
            content = stream.read(span.size)
    if len(content) < span.size:
        raise DataError(f"cut short: {span.size:,} bytes were there, {len(content):,} are left", path)
    return content


def sha256_of(raw: str) -> str:
    """What tells these bytes from any others; they may be more than memory holds.

    Raises:
        DataError: As :func:`read_bytes` does.
        StorageError: They cannot be read.
    """
    path = Path(raw)
    file = holder(raw)
    digest = hashlib.sha256()
    with _errors(path):
        left = (span := _span(path, file)).size
        with file.open("rb") as stream:
            stream.seek(span.start)
            while block := stream.read(min(left, BLOCK_BYTES)):
                digest.update(block)
                left -= len(block)
    return digest.hexdigest()


def _span(path: Path, file: Path) -> Span:
    """Where the bytes of a path lie in the file that holds them."""
    if file == path:
        return Span(0, _size(path))
    members = archive_members(file)
    name = path.relative_to(file).as_posix()
    if name not in members:
        raise DataError(f"the archive holds no plain file '{name}'", file)
    return members[name]


def holder(raw: str) -> Path:
    """The file of the disk that ``raw`` leads to: itself, or the archive that it leads through."""
    path = Path(raw)
    if path.exists():
        return path
    archives = (parent for parent in path.parents if parent.suffix == ARCHIVE and parent.is_file())
    return next(archives, path)


def archive_members(archive: Path) -> Mapping[str, Span]:
    """The plain files of a tar archive, in its order, by their names.

    What else there is (links, folders, devices, names that lead out of the archive) is left out.

    Raises:
        DataError: It is no tar archive, or a broken one.
        StorageError: It cannot be read.
    """
    with _errors(archive):
        status = archive.stat()
        return _members(archive, status.st_size, status.st_mtime_ns)


@lru_cache(REMEMBERED)
def _members(archive: Path, size: int, changed_ns: int) -> Mapping[str, Span]:  # noqa: ARG001 - of the key
    found: dict[str, Span] = {}
    with archive.open("rb") as file:
        try:
            for name, span in _plain_files(file):
                if span.size < 0 or span.start + span.size > size:
                    raise DataError(f"broken tar: '{name}' goes past the archive's end", archive)
                found[name] = span
        except (TarError, ValueError, OverflowError) as error:
            raise DataError(f"broken tar: {error}", archive) from error
    return found


def _plain_files(file: BinaryIO) -> Iterator[tuple[str, Span]]:
    with TarFile(fileobj=file) as tar:  # never a compressed one: there is no place in it to read from
        while (member := tar.next()) is not None:
            tar.members.clear()  # type: ignore[attr-defined] # else it keeps them all
            name = posixpath.normpath(member.name)
            name.encode()  # a name that is no text is an error, as no output could tell it
            leads_out = name.startswith(("/", "../")) or name == ".."
            if member.isreg() and not member.issparse() and not leads_out:
                yield name, Span(member.offset_data, member.size)
        file.seek(tar.offset)
        if file.read(REST_BYTES).strip(b"\0"):  # tarfile takes a damaged header for the end
            raise ValueError(f"after byte {tar.offset:,} there is more, but no member begins there")


def _size(path: Path) -> int:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):  # to open a pipe may take for ever
        raise DataError("this is no plain file", path)
    return status.st_size


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DataError("there is no such file", path) from error
    except OSError as error:
        raise StorageError(f"{path}: cannot read it: {error.strerror}") from error
