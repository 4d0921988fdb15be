"""Lines of files, and files within a root."""

from __future__ import annotations

import gzip
from contextlib import suppress

import pytest

from seqloom.data.files import Finder, Meter, find_file, find_files, read_lines, scan_lines
from seqloom.errors import DataError, StorageError


def write(path, content):
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.mark.parametrize("name", ["text.en", "text.gz"])
def test_only_newlines_end_lines(tmp_path, name):
    content = "\ufeffone\r\ntwo\u2028still\x85two\x0b\x0c\x1c\r.\n\n\ufefffour".encode()
    lines = list(read_lines(write(tmp_path / name, content)))
    assert lines == ["one", "two\u2028still\x85two\x0b\x0c\x1c\r.", "", "\ufefffour"]


def test_bytes_that_are_not_utf8_are_located(tmp_path):
    path = write(tmp_path / "text", b"fine\nZ\xc3\xbcr \xfcber\n")
    with pytest.raises(DataError, match=r"text:2: not UTF-8: byte 0xfc at offset 5 ") as caught:
        list(read_lines(path))
    assert (caught.value.file, caught.value.line) == (path, 2)


@pytest.mark.parametrize("name", ["text", "text.gz"])
def test_an_empty_file_is_an_error(tmp_path, name):
    with pytest.raises(DataError, match="the file is empty"):
        list(read_lines(write(tmp_path / name, b"")))


def test_broken_gzip_says_where(tmp_path):
    path = tmp_path / "text.gz"
    packed = gzip.compress(b"".join(b"%d\n" % (n * n) for n in range(50_000)))
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(DataError, match="broken gzip") as caught:
        list(read_lines(path))
    assert caught.value.line > 1000
    path.write_bytes(b"plain text\n")
    with pytest.raises(DataError, match=r"text\.gz:1: broken gzip"):
        list(read_lines(path))
    path.write_bytes(packed[:100] + b"\xff" * 100 + packed[200:])
    with pytest.raises(DataError, match="broken gzip"):
        list(read_lines(path))


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(DataError, match="gone: there is no such file"):
        list(read_lines(tmp_path / "gone"))
    with pytest.raises(StorageError, match="cannot read it: Is a directory"):
        list(read_lines(tmp_path))


def test_lines_are_read_one_at_a_time(tmp_path):
    lines = read_lines(write(tmp_path / "text", b"one\n\xff\n"))
    assert next(lines) == "one"


# Finding -----------------------------------------------------------------------------------------------


@pytest.fixture
def root(tmp_path):
    (tmp_path / "outside.txt").touch()
    root = tmp_path / "root"
    (root / "tok").mkdir(parents=True)
    (root / "tok" / "train.en").touch()
    return root


def found(name, root):
    finder = Finder(root)
    with suppress(DataError):
        finder.find(name)  # what is known of a folder changes nothing
    return finder.find(name)


@pytest.fixture(params=[find_file, found], ids=["one", "many"])
def find(request):
    return request.param


def test_a_file_within_the_root_is_found(find, root):
    (root / "link.en").symlink_to(root / "tok" / "train.en")
    assert find("tok/train.en", root) == root / "tok" / "train.en"
    assert find("tok/../tok/train.en", root).samefile(root / "tok" / "train.en")
    assert find("link.en", root) == root / "link.en"  # its own name says what kind it is
    assert find(str(root / "tok" / "train.en"), root) == root / "tok" / "train.en"


def test_a_root_may_be_relative_and_a_link(find, root, monkeypatch):
    (root.parent / "alias").symlink_to(root)
    monkeypatch.chdir(root.parent)
    assert find("tok/train.en", type(root)("alias")) == root / "tok" / "train.en"


def test_nothing_outside_the_root_is_read(find, root):
    (root / "link").symlink_to(root.parent / "outside.txt")
    for name in ["../outside.txt", "tok/../../outside.txt", str(root.parent / "outside.txt"), "link"]:
        with pytest.raises(DataError, match="outside the data's root"):
            find(name, root)


def test_a_missing_file_comes_with_a_near_name(find, root):
    with pytest.raises(DataError, match=r"no file 'tok/trian\.en' in .*Did you mean 'train\.en'\?"):
        find("tok/trian.en", root)
    with pytest.raises(DataError, match=r"no file 'tokk/a/train\.en' in .*Did you mean 'tok'\?"):
        find("tokk/a/train.en", root)
    with pytest.raises(DataError, match=r"no file 'a'.*itself is missing; look at data\.root"):
        find("a", root / "nowhere")


def test_a_pattern_stands_for_all_files_that_match(root):
    for name in ("b.en", "a.en", "a.de", "[x].en"):
        (root / "tok" / name).touch()
    (root / "tok" / "folder.en").mkdir()
    assert [path.name for path in find_files("tok/*.en", root)] == ["[x].en", "a.en", "b.en", "train.en"]
    assert find_files("*/[ab].??", root) == [root / "tok" / name for name in ("a.de", "a.en", "b.en")]
    assert find_files("tok/[x].en", root) == [root / "tok" / "[x].en"]  # a name, as there is such a file
    assert find_files("tok/a.de", root) == [root / "tok" / "a.de"]


def test_a_pattern_stays_within_the_root(root):
    (root / "link.txt").symlink_to(root.parent / "outside.txt")
    with pytest.raises(DataError, match=r"'link\.txt' lies outside the data's root"):
        find_files("*.txt", root)
    for pattern in ("../*.txt", "tok/../../*.txt", str(root.parent / "*.txt")):
        with pytest.raises(DataError, match=r"outside the data's root|no pattern within|no file matches"):
            find_files(pattern, root)
    with pytest.raises(DataError, match=r"no file matches 'tok/\*\.fr' in"):
        find_files("tok/*.fr", root)


def test_what_is_no_file_is_refused(find, root):
    (root / "circle").symlink_to("circle")
    with pytest.raises(DataError, match="'tok' is a folder"):
        find("tok", root)
    for name in ["circle", "a\0b"]:
        with pytest.raises(DataError, match="cannot be looked up"):
            find(name, root)


@pytest.mark.parametrize("name", ["text", "text.gz"])
def test_what_is_read_is_counted(tmp_path, name):
    path = write(tmp_path / name, b"".join(b"%d\n" % (n * n) for n in range(100_000)))
    meter = Meter([path, path])
    lines = scan_lines(path, meter)
    next(lines)
    assert 0 < meter.share < 0.5
    assert len(list(lines)) == 99_999
    assert (meter.done, meter.share) == (path.stat().st_size, 0.5)
    list(scan_lines(path, meter))
    assert meter.share == 1.0
    assert Meter().share == 0.0
