"""Which utterances does a data folder of Kaldi's have? ``wav.scp``, ``segments``, ``text`` and ``utt2spk``.

Its columns are ``id``, ``wav``, ``start`` and ``end`` (empty where there is no ``segments``: the whole
recording), ``text`` and ``speaker``. Paths are relative to the data's root, as in every table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Final

from seqloom.data.files import Meter, UndecodableError, scan_lines
from seqloom.data.tables import Columns, Row
from seqloom.errors import DataError, unknown_name

RECORDINGS: Final = "wav.scp"
SEGMENTS: Final = "segments"
TEXTS: Final = "text"
SPEAKERS: Final = "utt2spk"

COLUMNS: Final = ("id", "wav", "start", "end", "text", "speaker")


def listing_of(folder: Path) -> Path | None:
    """The file that lists a folder's utterances; None where it is no such folder."""
    for name in (SEGMENTS, RECORDINGS):
        if (folder / RECORDINGS).is_file() and (folder / name).is_file():
            return folder / name
    return None


def is_listing(file: Path) -> bool:
    """Whether it is one of those that :func:`listing_of` gives."""
    return file.name in (SEGMENTS, RECORDINGS)


def kaldi_files(listing: Path) -> list[Path]:
    """All files that are read of a folder."""
    files = (listing.parent / name for name in (RECORDINGS, SEGMENTS, TEXTS, SPEAKERS))
    return [file for file in files if file.is_file()]


def kaldi_rows(listing: Path, columns: Columns, meter: Meter) -> Iterator[Row | DataError]:
    """The rows of a folder; their lines are those of the listing.

    A row that cannot be used comes as an error, not raised: others may follow it.

    Args:
        listing: What :func:`listing_of` gave.
        columns: What is wanted of it.
        meter: Counts the bytes that are read.

    Raises:
        DataError: A column is none of a folder's, a file that it takes is missing, or an utterance occurs
            twice in one.
        StorageError: A file cannot be read.
    """
    wanted = set(chain(*columns.values()))
    for column in wanted - set(COLUMNS):
        raise DataError(unknown_name("column", str(column), COLUMNS), listing.parent)
    beside = {
        column: _fields(listing.parent / name, meter)
        for column, name in (("text", TEXTS), ("speaker", SPEAKERS))
        if column in wanted
    }
    recordings = _fields(listing.parent / RECORDINGS, meter) if listing.name == SEGMENTS else {}
    for line, text in enumerate(scan_lines(listing, meter), 1):
        try:
            found = _utterance(text, listing, recordings)
            found |= {column: _of(found["id"], file, column) for column, file in beside.items()}
        except DataError as error:
            yield DataError(str(error), listing, line)
        else:
            yield Row({slot: [found[str(name)] for name in names] for slot, names in columns.items()}, line)


def _utterance(
    text: str | UndecodableError, listing: Path, recordings: Mapping[str, str]
) -> dict[str, str]:
    """What a line of the listing says, but for what lies beside it."""
    if isinstance(text, UndecodableError):
        raise text
    id_, rest = _key_and_rest(text)
    if listing.name == RECORDINGS:
        return {"id": id_, "wav": _plain(rest), "start": "", "end": ""}
    fields = rest.split()
    if len(fields) != 3:
        raise DataError(
            f"{len(fields) + 1} fields, where an utterance, a recording, start and end are meant"
        )
    recording, start, end = fields
    if recording not in recordings:
        raise DataError(f"'{recording}' is not in {RECORDINGS}")
    return {"id": id_, "wav": _plain(recordings[recording]), "start": start, "end": end}


def _plain(path: str) -> str:
    path = path.strip()
    if path.endswith("|"):
        raise DataError(f"'{path}' is a command, which is never run; name the file that it would write")
    return path


def _of(id_: str, texts: Mapping[str, str], column: str) -> str:
    if id_ not in texts:
        raise DataError(f"'{id_}' has no {column}")
    return texts[id_]


def _fields(path: Path, meter: Meter) -> dict[str, str]:
    """What a file says of each key: the rest of its line."""
    if not path.is_file():
        raise DataError("there is no such file", path)
    found: dict[str, str] = {}
    for line, text in enumerate(scan_lines(path, meter), 1):
        if isinstance(text, DataError):
            raise text
        key, rest = _key_and_rest(text)
        if key in found:
            raise DataError(f"'{key}' occurs twice", path, line)
        found[key] = rest
    return found


def _key_and_rest(text: str) -> tuple[str, str]:
    """A line's first field, and what follows the white space after it."""
    key, *rest = text.strip().split(maxsplit=1) or [""]
    return key, "".join(rest)
