"""A training goes on from the newest checkpoint that is whole."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from seqloom.checkpoint import Checkpoints
from seqloom.errors import CorruptError, StorageError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


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
