from __future__ import annotations

from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from seqloom.batch import Batch, Memory, Padded, length_mask, tree_map
from seqloom.nn.encoder import join_memories, masked_mean


class Pair(NamedTuple):
    left: Tensor
    right: list[Tensor]


def test_a_mask_is_true_where_a_position_is_real():
    lengths = torch.tensor([2, 0, 3])
    expected = [[True, True, False], [False] * 3, [True] * 3]
    assert length_mask(lengths, 3).tolist() == expected
    assert Padded(torch.zeros(3, 3, 8), lengths).mask().tolist() == expected
    assert Memory(torch.zeros(3, 3, 8), lengths, torch.zeros(3, 1, 8)).mask().tolist() == expected


def test_tree_map_keeps_the_form_and_leaves_other_things_alone():
    one = torch.tensor(1)
    tree = {"pair": Pair(one, [one, one]), "plain": (one, 7, None), "empty": (), "text": "x"}
    mapped = tree_map(lambda t: t + 1, tree)
    assert mapped == {
        "pair": Pair(one + 1, [one + 1] * 2),
        "plain": (one + 1, 7, None),
        "empty": (),
        "text": "x",
    }
    assert isinstance(mapped["pair"], Pair)
    assert type(mapped["plain"]) is tuple
    assert tree["pair"] == Pair(one, [one, one])


def batch_on(device: str, target: bool = True) -> Batch:
    padded = Padded(torch.zeros(2, 3, device=device), torch.tensor([3, 1], device=device))
    return Batch({"source": padded}, padded if target else None, [["a"], ["b"]], [4, 2])


@pytest.mark.parametrize("target", [True, False])
def test_a_batch_moves_with_all_its_tensors(target):
    moved = batch_on("cpu", target).to(torch.device("meta"))
    tensors = [*moved.inputs["source"], *(moved.target or ())]
    assert [tensor.device.type for tensor in tensors] == ["meta"] * (4 if target else 2)
    assert (moved.target is None) is not target
    assert (moved.references, moved.ids) == ([["a"], ["b"]], [4, 2])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="page-locked memory needs a GPU")
def test_a_pinned_batch_is_page_locked():
    pinned = batch_on("cpu").pin()
    assert all(tensor.is_pinned() for tensor in (*pinned.inputs["source"], *pinned.target))


def test_masked_mean_is_that_of_the_real_positions():
    values = torch.tensor([[[1.0, 2.0], [3.0, 6.0], [99.0, 99.0]], [[5.0, 5.0], [7.0, 7.0], [9.0, 9.0]]])
    mean = masked_mean(values, torch.tensor([[True, True, False], [False, False, False]]))
    assert mean.tolist() == [[[2.0, 4.0]], [[0.0, 0.0]]]


def test_one_memory_joined_is_itself():
    memory = Memory(torch.ones(1, 2, 3), torch.tensor([2]), torch.ones(1, 4, 5))
    assert join_memories([memory]) is memory


def test_joined_memories_have_their_real_positions_first_and_in_order():
    def memory(rows: list[list[float]], lengths: list[int]) -> Memory:
        values = torch.tensor(rows)[:, :, None].repeat(1, 1, 2)
        return Memory(values, torch.tensor(lengths), values[:, :1])

    first = memory([[1, 2, -1], [3, -1, -1], [-1, -1, -1]], [2, 1, 0])
    second = memory([[4, -1], [5, 6], [7, -1]], [1, 2, 1])
    joined = join_memories([first, second])
    assert joined.lengths.tolist() == [3, 3, 1]
    real = [
        row[:length]
        for row, length in zip(joined.values[:, :, 1].tolist(), joined.lengths.tolist(), strict=True)
    ]
    assert real == [[1, 2, 4], [3, 5, 6], [7]]
    torch.testing.assert_close(joined.final[:, 0, 0], torch.tensor([7 / 3, 14 / 3, 7.0]))
    assert joined.values.shape == (3, 5, 2)
