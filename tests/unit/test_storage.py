"""Folders are whole or absent, whatever happens while they are written."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from seqloom.errors import CorruptError, StorageError
from seqloom.storage import (
    load_tensors,
    read_json,
    save_tensors,
    storage_errors,
    verify_folder,
    write_folder,
    write_json,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def writes(text: str) -> object:
    return lambda folder: (folder / "file.txt").write_text(text)


def crash(folder: Path) -> None:
    (folder / "file.txt").write_text("half")
    raise OSError(28, "No space left on device")


def test_a_folder_is_written_and_verified(tmp_path: Path) -> None:
    digest = write_folder(tmp_path / "a", writes("one"))
    assert names(tmp_path / "a") == ["file.txt", "manifest.json"]
    assert verify_folder(tmp_path / "a") == digest


def test_folders_within_are_verified_too(tmp_path: Path) -> None:
    def write(folder: Path) -> None:
        (folder / "deep").mkdir()
        (folder / "deep" / "file.txt").write_text("one")

    write_folder(tmp_path / "a", write)
    (tmp_path / "a" / "deep" / "file.txt").write_text("two")
    with pytest.raises(CorruptError, match=r"deep/file\.txt"):
        verify_folder(tmp_path / "a")


def test_a_crash_leaves_nothing_where_nothing_was(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="a: cannot save it: No space left"):
        write_folder(tmp_path / "a", crash)
    assert names(tmp_path) == []


def test_a_crash_leaves_the_old_folder(tmp_path: Path) -> None:
    write_folder(tmp_path / "a", writes("old"))
    with pytest.raises(StorageError):
        write_folder(tmp_path / "a", crash)
    assert (tmp_path / "a" / "file.txt").read_text() == "old"
    assert names(tmp_path) == ["a"]
    verify_folder(tmp_path / "a")


def test_a_new_folder_takes_the_place_of_the_old(tmp_path: Path) -> None:
    write_folder(tmp_path / "a", writes("old"))
    write_folder(tmp_path / "a", writes("new"))
    assert (tmp_path / "a" / "file.txt").read_text() == "new"
    assert names(tmp_path) == ["a"]


def test_what_a_killed_process_left_is_cleared_away(tmp_path: Path) -> None:
    write_folder(tmp_path / "a", writes("old"))
    for name in (".a.new", ".a.old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "half.txt").write_text("left")
    write_folder(tmp_path / "a", writes("new"))
    assert names(tmp_path) == ["a"]
    assert names(tmp_path / "a") == ["file.txt", "manifest.json"]


def test_what_is_damaged_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    write_folder(folder, writes("one"))
    (folder / "file.txt").write_text("two")
    with pytest.raises(CorruptError, match=r"file\.txt: its bytes are not those that were saved"):
        verify_folder(folder)
    (folder / "file.txt").unlink()
    with pytest.raises(CorruptError, match=r"file\.txt: the file is missing"):
        verify_folder(folder)
    (folder / "file.txt").write_text("one")
    (folder / "more.txt").write_text("more")
    with pytest.raises(CorruptError, match=r"more\.txt: the manifest does not know this file"):
        verify_folder(folder)
    (folder / "manifest.json").write_text("[]")
    with pytest.raises(CorruptError, match=r"manifest\.json: the manifest is damaged"):
        verify_folder(folder)
    (folder / "manifest.json").unlink()
    with pytest.raises(CorruptError, match=r"there is no manifest\.json"):
        verify_folder(folder)


def test_json_comes_back_and_damage_is_told(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"ä": [1, None]})
    assert read_json(tmp_path / "a.json") == {"ä": [1, None]}
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(CorruptError, match="this is not JSON"):
        read_json(tmp_path / "a.json")
    with pytest.raises(StorageError, match="cannot read it: No such file"):
        read_json(tmp_path / "b.json")


def test_tensors_come_back_and_damage_is_told(tmp_path: Path) -> None:
    tensors = {"a": torch.arange(6).view(2, 3).T, "b": torch.tensor(2.5)}
    save_tensors(tmp_path / "a.safetensors", tensors)
    loaded = load_tensors(tmp_path / "a.safetensors")
    assert all(torch.equal(loaded[name], tensor) for name, tensor in tensors.items())
    (tmp_path / "a.safetensors").write_bytes(b"no tensors")
    with pytest.raises(StorageError, match=r"a\.safetensors: cannot read it"):
        load_tensors(tmp_path / "a.safetensors")


# Checkpoints -------------------------------------------------------------------------------------------


def test_whoever_reads_one_file_reads_all(tmp_path: Path) -> None:
    write_folder(
        tmp_path / "a", lambda folder: save_tensors(folder / "a.safetensors", {"a": torch.ones(2)})
    )
    (tmp_path / "usual").touch()
    usual = (tmp_path / "usual").stat().st_mode
    assert {path.stat().st_mode for path in (tmp_path / "a").iterdir()} == {usual}


@pytest.mark.parametrize("name", ["a\0b", "a\ud800"])
def test_what_no_file_can_be_called_is_said(tmp_path: Path, name: str) -> None:
    with (
        pytest.raises(StorageError, match="cannot read it: no file can be called so"),
        storage_errors(tmp_path / name, "read"),
    ):
        (tmp_path / name).read_bytes()
    with pytest.raises(ValueError, match="another"), storage_errors(tmp_path, "read"):
        raise ValueError("another")
