"""Names of files, folders and patterns to files."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqloom.data.named import named_files
from seqloom.errors import DataError

PICTURES = (".png", ".jpg")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with pictures in it and in folders within it."""
    monkeypatch.chdir(tmp_path)
    for name in ("b.png", "a.JPG", "notes.txt", "in/c.png", "in/deep/d.jpg", ".hidden/e.png", "in/._c.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "odd[1].png").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("b.png", ["b.png"]),
        ("notes.txt", ["notes.txt"]),
        (".", ["a.JPG", "b.png", "in/c.png", "in/deep/d.jpg", "odd[1].png"]),
        ("in", ["in/c.png", "in/deep/d.jpg"]),
        ("*.png", ["b.png", "odd[1].png"]),
        ("*", ["a.JPG", "b.png", "odd[1].png"]),
        ("**/*.jpg", ["in/deep/d.jpg"]),
        ("odd[1].png", ["odd[1].png"]),
        (".hidden", [".hidden/e.png"]),
    ],
)
def test_what_a_name_stands_for(name: str, found: list[str]) -> None:
    assert named_files(name, PICTURES) == found


def test_whole_paths_stay_whole(folder: Path) -> None:
    assert named_files(str(folder / "in"), PICTURES) == [
        str(folder / "in" / "c.png"),
        str(folder / "in" / "deep" / "d.jpg"),
    ]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("c.png", "^no file 'c.png'. Did you mean 'b.png'"),
        ("inn/c.png", "^no file 'inn/c.png'. Did you mean 'in'"),
        ("notes.txt/a.png", "^no file 'notes.txt/a.png'"),
        ("*.gif", r"'\*\.gif' matches no file that ends in \.png \.jpg"),
        ("*.txt", r"'\*\.txt' matches 1 files, but none that ends in \.png \.jpg"),
        ("empty", r"the folder 'empty' holds no file that ends in"),
        ("a\0b", "^no file"),
        ("a\0/*", "is no name of a file"),
    ],
)
def test_what_is_not_there_is_told(folder: Path, name: str, message: str) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(DataError, match=message):
        named_files(name, PICTURES)
