"""Rows of tar archives as WebDataset has them."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from seqloom.config import TableSplit
from seqloom.data.files import Meter
from seqloom.data.manifest import Examples, read_examples
from seqloom.data.shards import shard_rows
from seqloom.data.splits import Slot
from seqloom.errors import DataError

SLOTS = {"image": Slot((".jpg",), "xywh")}


def write(file: Path, content: dict[str, bytes]) -> Path:
    with tarfile.open(file, "w") as tar:
        for name, data in content.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return file


def split(target: str) -> TableSplit:
    return TableSplit(file="*.tar", columns={"image": "jpg", "target": target})


def test_members_of_one_name_are_a_row(tmp_path: Path) -> None:
    first = write(
        tmp_path / "a.tar",
        {"./x.y/1.jpg": b"J", "./x.y/1.txt": b"one\r\n", "2.txt": "zw\u00f6".encode(), "2.jpg": b"K"},
    )
    second = write(tmp_path / "b.tar", {"1.jpg": b"L", "1.txt": b"three\nlines\n"})
    found = list(read_examples(split("txt"), tmp_path, SLOTS))
    assert [(one.example.inputs["image"], one.example.target, one.line) for one in found] == [
        (f"{first}/x.y/1.jpg", "one", 1),
        (f"{first}/2.jpg", "zwö", 2),
        (f"{second}/1.jpg", "three\nlines", 1),
    ]
    assert found[0].files == {"image": first, "target": first}


def test_an_object_has_columns_too(tmp_path: Path) -> None:
    content = {"captions": ["one", "two"], "jpg": "not this", "size": 3}
    write(tmp_path / "a.tar", {"1.jpg": b"J", "1.json": json.dumps(content).encode()})
    (found,) = read_examples(split("captions"), tmp_path, SLOTS)
    assert found.example.references == ["one", "two"]
    assert found.example.inputs["image"].endswith("a.tar/1.jpg")
    apart = list(Examples(split("captions"), tmp_path, SLOTS, apart=True))
    assert [(one.id, one.target) for one in apart] == [(0, "one"), (1, "two")]


def test_a_suffix_is_all_after_the_first_dot(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tar", {"1.left.txt": b"l", "1.txt": b"r"})
    (row,) = shard_rows(path, {"source": ["left.txt"], "target": ["txt"]}, (), Meter())
    assert row.texts == {"source": ["l"], "target": ["r"]}


def test_rows_that_cannot_be_used_come_as_errors(tmp_path: Path) -> None:
    content = {
        "1.jpg": b"J",
        "2.txt": b"two",
        "3.jpg": b"J",
        "3.txt": b"\xff",
        "4.jpg": b"J",
        "4.json": b"[",
        "5.jpg": b"J",
        "5.txt": b"five",
        "6.jpg": b"J",
        "6.json": b'{"caption": 3}',
    }
    path = write(tmp_path / "a.tar", content)
    errors: list[DataError] = []
    found = list(read_examples(split("txt"), tmp_path, SLOTS, bad=errors.append))
    assert [one.example.target for one in found] == ["five"]
    told = [str(error).removeprefix(f"{path}:") for error in errors]
    assert told[:3] == [
        "1: '1': no column 'txt'; there are: jpg.",
        "2: '2': no column 'jpg'; there are: txt.",
        "3: '3': '3.txt' is not UTF-8: invalid start byte",
    ]
    assert told[3].startswith("4: '4': malformed JSON")
    assert told[4] == "6: '6': no column 'txt'; there are: caption, jpg, json."
    with pytest.raises(DataError, match=r"a\.tar:6: '6': 'caption' needs to be a string"):
        list(
            read_examples(
                split("caption"), tmp_path, SLOTS, bad=lambda e: None if e.line != 6 else _raise(e)
            )
        )


def _raise(error: DataError) -> None:
    raise error


def test_a_picture_is_a_member_and_no_name_in_an_object(tmp_path: Path) -> None:
    write(tmp_path / "a.tar", {"1.json": b'{"jpg": "/etc/passwd", "txt": "one"}'})
    with pytest.raises(DataError, match="no column 'jpg'"):
        list(read_examples(split("txt"), tmp_path, SLOTS))


def test_what_was_read_is_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tar", {"1.txt": b"x" * 9000, "2.txt": b"y" * 9000})
    meter = Meter([path])
    rows = shard_rows(path, {"target": ["txt"]}, (), meter)
    next(rows)
    assert meter.done == 0
    next(rows)
    assert meter.done == 9000


def test_an_archive_without_a_file(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        folder = tarfile.TarInfo("folder")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
    with pytest.raises(DataError, match=r"a\.tar: the archive holds no plain file"):
        list(read_examples(split("txt"), tmp_path, SLOTS))
