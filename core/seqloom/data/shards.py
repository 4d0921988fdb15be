"""Which rows does a tar archive have? Members of one name and several suffixes, as WebDataset has them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from seqloom.data.blobs import Span, archive_members, read_bytes
from seqloom.data.files import Meter
from seqloom.data.tables import Columns, Row, read_object, texts_in
from seqloom.errors import DataError, unknown_name

OBJECT = "json"
"""The suffix of a member whose keys are columns too."""


def shard_rows(
    path: Path, columns: Columns, files: Collection[str], meter: Meter, numbers: Collection[str] = ()
) -> Iterator[Row | DataError]:
    """The rows of a tar archive; their lines are their numbers from 1.

    A row is all members of one name up to the first dot of its last part (WebDataset's convention), and
    what follows that dot is a column: of ``a/7.jpg``, ``a/7.txt`` and ``a/7.json``, the row ``a/7`` has the
    columns ``jpg``, ``txt`` and ``json``, and those keys of the object in the last that no suffix has.

    A row that cannot be used comes as an error, not raised: others may follow it.

    Args:
        path: The archive.
        columns: What is wanted of it.
        files: Slots whose texts are paths of members, for :func:`seqloom.data.blobs.read_bytes`.
        meter: Counts the bytes that are read.
        numbers: Of the columns' keys, those whose values may be numbers.

    Raises:
        DataError: The archive is broken, or has no row.
        StorageError: It cannot be read.
    """
    members = archive_members(path)
    for number, (key, found) in enumerate(_grouped(members).items(), 1):
        try:
            yield Row(_texts(path, found, columns, files, numbers), number)
        except DataError as error:
            yield DataError(f"'{key}': {error}", path, number)
        meter.read(sum(members[name].size for name in found.values()))
    if not members:
        raise DataError("the archive holds no plain file", path)


def _grouped(members: Mapping[str, Span]) -> dict[str, dict[str, str]]:
    """The members' names by their suffixes, and these by what they share."""
    rows: dict[str, dict[str, str]] = {}
    for name in members:
        folder, slash, last = name.rpartition("/")
        stem, _, suffix = last.partition(".")
        rows.setdefault(folder + slash + stem, {})[suffix] = name
    return rows


def _texts(
    path: Path,
    found: Mapping[str, str],
    columns: Columns,
    files: Collection[str],
    numbers: Collection[str],
) -> dict[str, list[str]]:
    fields: Mapping[str, Any] = {}
    if OBJECT in found and any(name not in found for names in columns.values() for name in names):
        fields = read_object(_text(path, found[OBJECT]))
    texts: dict[str, list[str]] = {slot: [] for slot in columns}
    for slot, names in columns.items():
        for place, name in enumerate(map(str, names)):
            is_file = slot in files and place == 0  # what comes after it says which part is meant
            if name in found:
                member = found[name]
                texts[slot].append(f"{path}/{member}" if is_file else _text(path, member))
            elif is_file or name not in fields:
                raise DataError(unknown_name("column", name, [*found, *fields]))
            else:
                texts[slot] += texts_in(fields, name, slot in numbers)
    return texts


def _text(path: Path, member: str) -> str:
    """A member's text; the line break that ends it is taken off."""
    try:
        return read_bytes(f"{path}/{member}").decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise DataError(f"'{member}' is not UTF-8: {error.reason}") from error
