from __future__ import annotations

import torch

from seqloom.batch import Memory
from seqloom.nn.encoder import NoEncoder, join_memories, masked_mean
from seqloom.testing import EncoderContract, random_memory


class TestNoEncoder(EncoderContract):
    def build(self) -> NoEncoder:
        return NoEncoder(self.width)


def test_the_mean_is_of_real_positions_only():
    values = torch.tensor([[[1.0], [3.0], [100.0]], [[5.0], [100.0], [100.0]]])
    mask = torch.tensor([[True, True, False], [True, False, False]])
    assert masked_mean(values, mask).flatten().tolist() == [2.0, 5.0]


def test_a_single_memory_stays_as_it_is():
    memory = random_memory((3, 1), 4)
    assert join_memories([memory]) is memory


def test_joined_memories_have_their_padding_on_the_right():
    first = Memory(
        torch.tensor([[[1.0], [2.0]], [[3.0], [0.0]]]), torch.tensor([2, 1]), torch.zeros(2, 2, 7)
    )
    second = Memory(
        torch.tensor([[[5.0], [0.0]], [[6.0], [7.0]]]), torch.tensor([1, 2]), torch.zeros(2, 1, 3)
    )
    joined = join_memories([first, second])
    assert joined.lengths.tolist() == [3, 3]
    assert joined.values[:, :3, 0].tolist() == [[1.0, 2.0, 5.0], [3.0, 6.0, 7.0]]
    torch.testing.assert_close(joined.final, torch.tensor([[[8 / 3]], [[16 / 3]]]))


def test_joined_memories_have_their_tokens_where_their_positions_are():
    memories = [
        random_memory((2, 1), 4)._replace(copy_ids=torch.tensor([[1, 2], [3, 99]])),
        random_memory((1, 2), 4)._replace(copy_ids=torch.tensor([[5, 99], [6, 7]])),
    ]
    joined = join_memories(memories)
    assert joined.copy_ids is not None
    assert joined.copy_ids[:, :3].tolist() == [[1, 2, 5], [3, 6, 7]]
    assert join_memories([memories[0], random_memory((1, 2), 4)]).copy_ids is None
