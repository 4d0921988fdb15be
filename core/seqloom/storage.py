"""What is on the disk is whole or not there: folders with the sums of their files.

A folder is written aside, each file flushed to the disk, a manifest of sha256 sums added, and then
renamed into its place. One that is there already is renamed out of the way first and removed last: no
moment is without a whole copy on the disk. Weights and states are safetensors and JSON; nothing is
ever unpickled.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO, TypeVar

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from seqloom.errors import CorruptError, StorageError

MANIFEST = "manifest.json"
FilledT = TypeVar("FilledT")


@contextmanager
def storage_errors(path: Path, doing: str) -> Iterator[None]:
    """Turns the system's errors into one that says what was being done to which path."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(f"{path}: cannot {doing} it: {reason}") from error
    except SafetensorError as error:
        raise StorageError(f"{path}: cannot {doing} it: {error}") from error
    except ValueError as error:
        if _can_be_called(path):
            raise
        raise StorageError(f"{str(path)!r}: cannot {doing} it: no file can be called so") from error


def _can_be_called(path: Path) -> bool:
    """Whether the system knows such names: they hold no NUL and no halves of characters."""
    try:
        return b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        return False


def write_folder(folder: Path, write: Callable[[Path], None]) -> str:
    """Makes ``folder`` out of the files that ``write`` puts into a folder given to it, and a manifest.

    Args:
        folder: Where it shall be; one that is there is replaced.
        write: Fills an empty folder.

    Returns:
        sha256 of the manifest, which holds that of every file.

    Raises:
        StorageError: The disk is full or read-only; nothing is left behind.
    """

    def fill(aside: Path) -> str:
        write(aside)
        return _seal(aside)

    return place_folder(folder, fill)


def place_folder(folder: Path, fill: Callable[[Path], FilledT]) -> FilledT:
    """Makes ``folder`` out of what ``fill`` puts into a folder given to it; whole or not at all.

    Args:
        folder: Where it shall be; one that is there is replaced.
        fill: Fills an empty folder.

    Returns:
        What ``fill`` returns.

    Raises:
        StorageError: The disk is full or read-only; nothing is left behind.
    """
    aside, old = _beside(folder, "new"), _beside(folder, "old")
    with storage_errors(folder, "save"):
        try:
            shutil.rmtree(aside, ignore_errors=True)  # of a process that was killed
            aside.mkdir(parents=True)
            filled = fill(aside)
            for path in [*aside.rglob("*"), aside]:
                _flush(path)
            _swap(aside, folder, old)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)
    return filled


def _swap(new: Path, folder: Path, old: Path) -> None:
    """Puts ``new`` in the place of ``folder``, which goes to ``old``; where that fails, puts both back."""
    if folder.exists():
        shutil.rmtree(old, ignore_errors=True)
        folder.rename(old)
    try:
        new.rename(folder)
        _flush(folder.parent)
    except OSError:
        if folder.exists():
            folder.rename(new)
        if old.exists():
            old.rename(folder)
        raise


def discard_folder(folder: Path) -> None:
    """Removes a folder, which is absent before its first file goes."""
    gone = _beside(folder, "gone")
    shutil.rmtree(gone, ignore_errors=True)  # of a process that was killed
    with suppress(OSError):  # a disk that does not let go of it costs room, and nothing else
        folder.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def clear_folder(folder: Path) -> None:
    """Removes a folder, and what killed processes left of making or removing it."""
    for kind in ("new", "old"):
        shutil.rmtree(_beside(folder, kind), ignore_errors=True)
    discard_folder(folder)


def remains(folder: Path) -> bool:
    """Whether a folder is there, or what a killed process left of it while it was removed."""
    return os.path.lexists(folder) or _beside(folder, "gone").exists()


def recover_folders(parent: Path) -> None:
    """Clears away what a killed process left; where it was about to replace a folder, that is put back."""
    for old in parent.glob(".*.old"):
        place = old.with_name(old.stem[1:])
        if not place.exists():
            old.rename(place)
    for kind in ("old", "new", "gone"):
        for left in parent.glob(f".*.{kind}"):
            shutil.rmtree(left, ignore_errors=True)


def _beside(folder: Path, kind: str) -> Path:
    """Where a folder is while it is not to be seen."""
    return folder.with_name(f".{folder.name}.{kind}")


def verify_folder(folder: Path) -> str:
    """Checks every file of a folder against its manifest.

    Returns:
        sha256 of the manifest.

    Raises:
        CorruptError: A file is missing, was added, or is not what was saved; it is named.
    """
    sums, digest = read_manifest(folder)
    for name, expected in sums.items():
        file = folder / name
        if not file.is_file():
            raise CorruptError(f"{file}: the file is missing; take another copy")
        try:
            found = _sha256(file)
        except OSError as error:
            raise CorruptError(f"{file}: it cannot be read: {error.strerror}") from error
        if found != expected:
            raise CorruptError(f"{file}: its bytes are not those that were saved; take another copy")
    return digest


def read_manifest(folder: Path) -> tuple[dict[str, str], str]:
    """What a folder's manifest says; the files are not read.

    Returns:
        The sha256 of each file by its name, and that of the manifest.

    Raises:
        CorruptError: There is no manifest, it is damaged, or the folder has a file that it does not know.
    """
    manifest = folder / MANIFEST
    try:
        text = manifest.read_bytes()
        sums = dict(json.loads(text)["sha256"])
        is_ours = text == _manifest(sums)  # nobody vouches for the manifest but its own form
    except FileNotFoundError as error:
        raise CorruptError(f"{folder}: there is no {MANIFEST}: this is no whole folder") from error
    except OSError as error:
        raise CorruptError(f"{manifest}: it cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError):
        is_ours = False
    if not is_ours:
        raise CorruptError(f"{manifest}: the manifest is damaged; take another copy")
    if added := _files(folder) - sums.keys():
        raise CorruptError(f"{folder / min(added)}: the manifest does not know this file; take it away")
    return sums, hashlib.sha256(text).hexdigest()


def read_json(file: Path) -> Any:
    """A JSON file's content.

    Raises:
        StorageError: It is not there.
        CorruptError: It is not JSON.
    """
    with storage_errors(file, "read"):
        text = file.read_text(encoding="utf-8")
    try:
        return json.loads(text)
    except ValueError as error:
        raise CorruptError(f"{file}: this is not JSON ({error})") from error


def write_json(file: Path, value: Any) -> None:
    """Writes a value for people and programs alike."""
    file.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


@contextmanager
def writing_aside(file: Path) -> Iterator[TextIO]:
    """Opens a text file that is in its place once the block ends well, and before that is not there.

    Raises:
        StorageError: The disk is full or read-only; nothing is left behind.
    """
    aside = file.with_name(f".{file.name}.new")
    with storage_errors(file, "write"):
        try:
            with aside.open("w", encoding="utf-8") as stream:
                yield stream
            aside.replace(file)
        finally:
            aside.unlink(missing_ok=True)


def save_tensors(file: Path, tensors: Mapping[str, Tensor]) -> None:
    """Writes named tensors as safetensors."""
    save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, file)


def load_tensors(file: Path) -> dict[str, Tensor]:
    """Reads named tensors, on the CPU.

    Raises:
        StorageError: The file is missing or no safetensors.
    """
    with storage_errors(file, "read"):
        return load_file(file)


# Bytes on the disk -------------------------------------------------------------------------------------


def _files(folder: Path) -> set[str]:
    """The names of all files of a folder but its manifest."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix() for path in paths} - {MANIFEST}


def _seal(folder: Path) -> str:
    manifest = folder / MANIFEST
    names = sorted(_files(folder))
    manifest.write_bytes(_manifest({name: _sha256(folder / name) for name in names}))
    usual = manifest.stat().st_mode
    for name in names:
        (folder / name).chmod(usual)  # safetensors makes files that nobody else may read
    return _sha256(manifest)


def _manifest(sums: Mapping[str, str]) -> bytes:
    return (json.dumps({"sha256": sums}, indent=2, ensure_ascii=False) + "\n").encode()


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _flush(path: Path) -> None:
    """Waits until a file's bytes, or a folder's names, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
