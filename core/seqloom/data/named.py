"""Which files does a user's word name? A file, all of a folder, or those that a pattern matches."""

from __future__ import annotations

from collections.abc import Sequence
from glob import glob
from pathlib import Path

from seqloom.data.files import WILDCARDS, nearest_name
from seqloom.errors import DataError, StorageError


def named_files(name: str, suffixes: Sequence[str]) -> list[str]:
    """The files that a name stands for, those of a folder or a pattern sorted.

    Args:
        name: Of a file, whatever its suffix; of a folder, for all files in it and in the folders in it;
            or a pattern as of a shell, ``**`` for folders within folders. Relative to the working folder.
            What begins with a dot is found by its own name only.
        suffixes: What files of a folder or a pattern end in, as ``.png``; case counts for nothing.

    Raises:
        DataError: There is none.
        StorageError: A folder cannot be read.
    """
    path = Path(name)
    try:
        if path.is_file():
            return [name]
        if path.is_dir():
            return _suitable(f"the folder '{name}' holds", _files_in(path), suffixes)
        if WILDCARDS.intersection(name):
            return _suitable(f"'{name}' matches", sorted(glob(name, recursive=True)), suffixes)  # noqa: PTH207 - the pattern may be a whole path
        raise DataError(f"no file '{name}'.{nearest_name(path)}")
    except ValueError as error:  # a NUL
        raise DataError(f"'{name}' is no name of a file: {error}") from error
    except OSError as error:
        raise StorageError(f"{name}: cannot look it up: {error.strerror}") from error


def _files_in(folder: Path) -> list[str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(str(path) for path in found if not _is_hidden(path.relative_to(folder)))


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _suitable(what: str, names: Sequence[str], suffixes: Sequence[str]) -> list[str]:
    suitable = [name for name in names if Path(name).suffix.lower() in suffixes and Path(name).is_file()]
    if not suitable:
        count = f"{len(names)} files, but none" if names else "no file"
        raise DataError(f"{what} {count} that ends in {' '.join(suffixes)}")
    return suitable
