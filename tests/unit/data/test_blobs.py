"""Bytes of files and of members of tar archives, and archives that are broken."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from seqloom.data.blobs import archive_members, holder, read_bytes
from seqloom.errors import DataError, StorageError

CONTENT = {"a/1.txt": b"one", "./2.txt": b"second" * 200, "empty": b""}


def write_tar(file: Path, content: dict[str, bytes], form: int = tarfile.USTAR_FORMAT) -> Path:
    with tarfile.open(file, "w", format=form) as tar:
        for name, data in content.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return file


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    return write_tar(tmp_path / "shard.tar", CONTENT)


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_members_are_read_by_a_path_through_the_archive(tmp_path: Path, form: int) -> None:
    long = "n" * 150 + "/ü.txt"
    content = CONTENT | ({long: b"long"} if form != tarfile.USTAR_FORMAT else {})
    shard = write_tar(tmp_path / "shard.tar", content, form)
    for name, data in content.items():
        assert read_bytes(f"{shard}/{name}") == data
    assert list(archive_members(shard)) == [name.removeprefix("./") for name in content]
    assert holder(f"{shard}/a/1.txt") == shard


def test_plain_files_are_read(tmp_path: Path) -> None:
    file = tmp_path / "1.txt"
    file.write_bytes(b"one")
    assert read_bytes(str(file)) == b"one"
    assert holder(str(file)) == file
    (tmp_path / "folder.tar").mkdir()  # a folder, whatever it is called
    (tmp_path / "folder.tar" / "1.txt").write_bytes(b"two")
    assert read_bytes(str(tmp_path / "folder.tar" / "1.txt")) == b"two"


def test_more_than_the_limit_is_not_read(shard: Path, tmp_path: Path) -> None:
    file = tmp_path / "1.txt"
    file.write_bytes(b"one")
    for raw in (file, shard / "a/1.txt"):
        assert read_bytes(str(raw), 3) == b"one"
        with pytest.raises(DataError, match=r"1\.txt: 3 bytes, more than the 2 that are read"):
            read_bytes(str(raw), 2)


def test_what_is_not_there_is_named(shard: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone: there is no such file"):
        read_bytes(str(tmp_path / "gone"))
    with pytest.raises(DataError, match=r"gone\.tar/1\.txt: there is no such file"):
        read_bytes(str(tmp_path / "gone.tar" / "1.txt"))
    with pytest.raises(DataError, match=r"shard\.tar: the archive holds no plain file '1\.txt'"):
        read_bytes(f"{shard}/1.txt")
    with pytest.raises(DataError, match="this is no plain file"):
        read_bytes(str(tmp_path))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="this is no plain file"):
        read_bytes(str(tmp_path / "pipe"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"1")
    (tmp_path / "secret").chmod(0)
    with pytest.raises(StorageError, match="secret: cannot read it: Permission denied"):
        read_bytes(str(tmp_path / "secret"))


def test_nothing_but_plain_files_within_the_archive_is_there(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_bytes(b"secret")
    shard = tmp_path / "shard.tar"
    with tarfile.open(shard, "w") as tar:
        for name, kind in (
            ("link", tarfile.SYMTYPE),
            ("hard", tarfile.LNKTYPE),
            ("pipe", tarfile.FIFOTYPE),
        ):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, str(tmp_path / "secret.txt")
            tar.addfile(member)
        for name in ("../secret.txt", "/secret.txt", "a/../../secret.txt", "a/../plain"):
            member = tarfile.TarInfo(name)
            member.size = 1
            tar.addfile(member, io.BytesIO(b"x"))
    assert list(archive_members(shard)) == ["plain"]
    for name in ("link", "hard", "pipe", "../secret.txt"):
        with pytest.raises(DataError):
            read_bytes(f"{shard}/{name}")


def test_an_archive_that_changes_is_looked_into_again(shard: Path) -> None:
    assert read_bytes(f"{shard}/a/1.txt") == b"one"
    write_tar(shard, {"a/1.txt": b"another"})
    os.utime(shard, ns=(1, 1))
    assert read_bytes(f"{shard}/a/1.txt") == b"another"


def whole() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for name in "abc":
            member = tarfile.TarInfo(name)
            member.size = 1000
            tar.addfile(member, io.BytesIO(name.encode() * 1000))
    return file.getvalue()


DAMAGED = {
    "nothing": b"",
    "a text": b"plain text " * 100,
    "compressed": b"\x1f\x8b" + bytes(600),
    "cut within a member": whole()[:2000],
    "cut within a header": whole()[:1700],
    "a damaged header": whole()[:1536] + b"\xff" * 100 + whole()[1636:],
    "two archives": whole() + whole(),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_broken_archive_is_named(tmp_path: Path, kind: str) -> None:
    shard = tmp_path / "shard.tar"
    shard.write_bytes(DAMAGED[kind])
    for read in (archive_members, lambda file: read_bytes(f"{file}/a")):
        with pytest.raises(DataError, match=r"shard\.tar: broken tar: "):
            read(shard)


def test_an_archive_cut_short_later_is_an_error(shard: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    members = archive_members(shard)
    monkeypatch.setattr("seqloom.data.blobs.archive_members", lambda _: members)
    shard.write_bytes(shard.read_bytes()[:514])
    with pytest.raises(DataError, match="cut short: 3 bytes were there, 2 are left"):
        read_bytes(f"{shard}/a/1.txt")


def test_bytes_that_are_flipped_never_crash(tmp_path: Path) -> None:
    content, shard = whole(), tmp_path / "shard.tar"
    wrong = 0
    for place in range(0, 512, 3):
        for value in (0x00, 0x2D, 0x80, 0xFF):
            shard.write_bytes(content[:place] + bytes([value]) + content[place + 1 :])
            os.utime(shard, ns=(place, value))
            try:
                archive_members(shard)
            except DataError:
                wrong += 1
    assert wrong > 300  # a header has a checksum
