"""Folders are whole or absent, whatever happens while they are written."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from seqloom.checkpoint import (
    Checkpoints,
    load_tensors,
    read_json,
    save_tensors,
    verify_folder,
    write_folder,
    write_json,
)
from seqloom.errors import CorruptError, StorageError


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


def stepped(seed: int) -> tuple[nn.Linear, torch.optim.Optimizer]:
    """A layer and its optimiser after one step."""
    torch.manual_seed(seed)
    layer = nn.Linear(3, 2)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.1 * seed)
    layer(torch.ones(3)).sum().backward()
    optimizer.step()
    return layer, optimizer


@pytest.fixture
def three(tmp_path: Path) -> Checkpoints:
    checkpoints = Checkpoints(tmp_path / "checkpoints")
    layer, optimizer = stepped(1)
    for step in (1, 2, 10):
        checkpoints.save(step, layer.state_dict(), optimizer, {"step": step})
    return checkpoints


def test_there_is_nothing_to_go_on_from_at_first(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "none")
    assert checkpoints.steps() == []
    with pytest.raises(StorageError, match="no checkpoint to go on from: none was saved"):
        checkpoints.newest()


def test_weights_optimiser_and_state_come_back(three: Checkpoints) -> None:
    layer, optimizer = stepped(1)
    other = stepped(2)[1]
    assert three.restore(10, other) == {"step": 10}
    assert other.param_groups[0]["lr"] == optimizer.param_groups[0]["lr"]
    for mine, theirs in zip(optimizer.state.values(), other.state.values(), strict=True):
        assert mine.keys() == theirs.keys()
        assert all(torch.equal(mine[key], theirs[key]) for key in mine)
    weights = three.weights(10)
    assert all(torch.equal(weights[name], value) for name, value in layer.state_dict().items())


def test_a_damaged_checkpoint_is_passed_over(three: Checkpoints) -> None:
    told: list[str] = []
    three.say = told.append
    assert three.newest() == 10
    (three.path(10) / "optimizer.safetensors").write_bytes(b"")
    assert three.newest() == 2
    (damage,) = told
    assert damage.startswith("the checkpoint of step 10 is passed over: ")
    assert "optimizer.safetensors: its bytes are not those that were saved" in damage
    with pytest.raises(CorruptError, match=r"optimizer\.safetensors"):
        three.weights(10)
    for step in (1, 2):
        (three.path(step) / "state.json").unlink()
    with pytest.raises(StorageError, match="no checkpoint to go on from: all are damaged"):
        three.newest()


def test_pruning_keeps_what_it_is_told(three: Checkpoints) -> None:
    three.prune({2, 99})
    assert three.steps() == [2]
    assert names(three.folder) == ["00000002"]


def test_leftovers_of_a_killed_process_are_no_checkpoints(three: Checkpoints) -> None:
    (three.folder / ".00000011.new").mkdir()
    (three.folder / ".00000001.old").mkdir()
    three.path(2).rename(three.folder / ".00000002.old")  # it was about to be replaced
    assert three.steps() == [1, 10]
    three.recover()
    assert three.steps() == [1, 2, 10]
    assert names(three.folder) == ["00000001", "00000002", "00000010"]
    assert three.is_whole(2)


def test_a_file_that_cannot_be_read_is_damage(three: Checkpoints) -> None:
    file = three.path(10) / "manifest.json"
    file.unlink()
    file.mkdir()
    with pytest.raises(CorruptError, match=r"manifest\.json: it cannot be read"):
        three.weights(10)
