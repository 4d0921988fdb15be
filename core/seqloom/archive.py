"""How is a model one file? A tar archive without compression, whose bytes follow from what is in it.

::

    de-en-3/registry.json           first: what the registry knows, and the size of every file
    de-en-3/model/manifest.json     then the model's folder, file by file
    de-en-3/model/config.json
    …

It is written and read from front to back, so it goes through a pipe. Nothing in it is trusted: links,
devices, names that lead elsewhere, files that were not announced or are not as long as announced end the
reading. Nothing is compressed, so nothing can swell. Headers are taken one by one, as the standard
library's own reader takes extended headers of any size into memory.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, final

from pydantic import ValidationError

from seqloom.errors import CorruptError
from seqloom.foreign import LARGEST_JSON, LONGEST_NAME, Head, check_names, clean_json, what_is_wrong
from seqloom.storage import MANIFEST, read_manifest, storage_errors

HEAD: Final = "registry.json"
MODEL: Final = "model"
FORMAT: Final = "seqloom-model"
FORMAT_VERSION: Final = 1
BLOCK: Final = tarfile.BLOCKSIZE  # bytes: headers are one, files are filled up to whole ones
PIECE: Final = 1 << 20  # bytes copied at once
READABLE: Final = 0o644


# Out ---------------------------------------------------------------------------------------------------


def write_archive(stream: IO[bytes], folder: Path, top: str, facts: Mapping[str, Any]) -> None:
    """Writes a model folder and what is known of it; each file is checked against its manifest on the way.

    Args:
        stream: Where to.
        folder: The model's.
        top: The folder in the archive that has it all.
        facts: What the registry knows, JSON-able; see :class:`Head`.

    Raises:
        CorruptError: The folder is not what was saved.
        StorageError: It cannot be read.
    """
    sums, digest = read_manifest(folder)
    names = [MANIFEST, *sorted(sums)]
    check_names(names, folder)
    with storage_errors(folder, "read"):
        sizes = {name: (folder / name).stat().st_size for name in names}
    head = {"format": FORMAT, "version": FORMAT_VERSION, "files": sizes, **facts}
    text = (json.dumps(head, indent=2, ensure_ascii=False, sort_keys=True) + "\n").encode()
    _write_header(stream, f"{top}/{HEAD}", len(text))
    stream.write(text + bytes(-len(text) % BLOCK))
    for name in names:
        _write_header(stream, f"{top}/{MODEL}/{name}", sizes[name])
        if _send(folder / name, stream, sizes[name]) != sums.get(name, digest):
            raise CorruptError(
                f"{folder / name}: its bytes are not those that were saved; take another copy"
            )
    stream.write(bytes(2 * BLOCK))


def _write_header(stream: IO[bytes], name: str, size: int) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, READABLE  # no owner, no moment: the same model makes the same bytes
    stream.write(info.tobuf(tarfile.GNU_FORMAT, "utf-8", "strict"))


def _send(file: Path, stream: IO[bytes], size: int) -> str:
    """Writes the first ``size`` bytes of a file, filled up to a whole block; returns their sha256."""
    digest, left = hashlib.sha256(), size
    with storage_errors(file, "read"):
        source = file.open("rb")
    with source:
        while left:
            with storage_errors(file, "read"):
                piece = source.read(min(left, PIECE))
            if not piece:
                raise CorruptError(f"{file}: it became shorter while it was read; try again")
            digest.update(piece)
            stream.write(piece)
            left -= len(piece)
    stream.write(bytes(-size % BLOCK))
    return digest.hexdigest()


# In ----------------------------------------------------------------------------------------------------


class _Member(NamedTuple):
    name: str
    size: int


@final
class Archive:
    """An archive that is read from front to back, once.

    Args:
        stream: Its bytes.
        label: What it is called in errors.

    Attributes:
        facts: All that it says of itself, JSON-able.
        head: What of that is made use of.

    Raises:
        CorruptError: It does not begin as an archive of ours.
        StorageError: It cannot be read.
    """

    def __init__(self, stream: IO[bytes], label: str) -> None:
        self._stream = stream
        self._label = label
        self._digest = hashlib.sha256()
        member = self._next()
        self._top, _, name = (member.name if member else "").partition("/")
        if member is None or name != HEAD or member.size > LARGEST_JSON:
            raise self._damaged(f"it does not begin with {HEAD}; is it of `seqloom models export`?")
        text = b"".join(self._pieces(member.size))
        try:
            self.facts: dict[str, Any] = clean_json(text)
            self.head = Head.model_validate(self.facts)
        except ValidationError as error:
            raise self._damaged(f"{HEAD} is not as it should be: {what_is_wrong(error)}") from error
        except ValueError as error:
            raise self._damaged(f"{HEAD} is not JSON as it should be: {error}") from error
        check_names(self.head.files, f"{label}: {HEAD}")

    def extract(self, folder: Path) -> str:
        """Writes the model's files into an empty folder.

        Returns:
            sha256 of the whole archive.

        Raises:
            CorruptError: It is cut off or damaged, or holds what it did not announce.
            StorageError: It cannot be read, or the folder not be written.
        """
        waiting = dict(self.head.files)
        while (member := self._next()) is not None:
            top, _, name = member.name.partition(f"/{MODEL}/")
            if top != self._top or waiting.pop(name, None) != member.size:
                raise self._damaged(f"{HEAD} announces no file {member.name!r} of {member.size:,} bytes")
            file = folder / name
            with storage_errors(folder, "write"):
                file.parent.mkdir(parents=True, exist_ok=True)
                target = file.open("xb")
            with target:
                for piece in self._pieces(member.size):
                    with storage_errors(folder, "write"):
                        target.write(piece)
        if waiting:
            raise self._damaged(f"the file {min(waiting)!r} is missing")
        if self._stream.read(1):
            raise self._damaged("it goes on after its end")
        return self._digest.hexdigest()

    def _next(self) -> _Member | None:
        """The next file; None at the end."""
        name = None
        while True:
            block = self._read(BLOCK)
            if block == bytes(BLOCK):
                if self._read(BLOCK) != block:
                    raise self._damaged("it ends amid itself")
                return None
            try:
                info = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
            except (tarfile.HeaderError, ValueError) as error:
                what = f"this is no tar archive without compression, or it is damaged ({error})"
                raise self._damaged(what) from error
            if info.type == tarfile.GNUTYPE_LONGNAME and name is None and 0 < info.size <= 2 * LONGEST_NAME:
                name = b"".join(self._pieces(info.size)).rstrip(b"\0").decode(errors="replace")
            elif info.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and info.size >= 0:
                return _Member(name or info.name, info.size)
            else:
                raise self._damaged(f"{name or info.name!r} is no plain file, and nothing else is taken")

    def _pieces(self, size: int) -> Iterator[bytes]:
        """The next so many bytes; what fills the last block up is passed over."""
        for start in range(0, size, PIECE):
            yield self._read(min(PIECE, size - start))
        self._read(-size % BLOCK)

    def _read(self, size: int) -> bytes:
        with storage_errors(Path(self._label), "read"):
            found = self._stream.read(size)
        if len(found) < size:
            raise self._damaged("it is cut off; take another copy")
        self._digest.update(found)
        return found

    def _damaged(self, what: str) -> CorruptError:
        return CorruptError(f"{self._label}: {what}")
