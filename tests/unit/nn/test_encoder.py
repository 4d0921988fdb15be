from __future__ import annotations

import torch

from seqloom.batch import Memory
from seqloom.nn.conformer import ConformerEncoder, ConformerShape
from seqloom.nn.encoder import NoEncoder, join_memories, masked_mean, portion_sizes
from seqloom.nn.transformer import TransformerEncoder, TransformerShape
from seqloom.testing import EncoderContract, random_memory, random_padded


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


def test_portions_hold_rows_of_like_length_and_enough_positions():
    assert portion_sizes([500, 490, 380, 370, 290, 280]) == [2, 2, 2]
    assert portion_sizes([400, 390, 380, 351]) == [4]  # no row is much shorter than the first
    assert portion_sizes([400, 300, 200]) == [3]  # a row alone would be too little
    assert portion_sizes([600, 500, 100, 100]) == [1, 3]  # and so would the last two
    assert portion_sizes([5, 0]) == [2]
    assert portion_sizes([]) == [0]


def test_a_batch_in_portions_is_as_one():
    torch.manual_seed(1)
    batch = random_padded((90, 300, 200, 310, 210, 80, 305, 195, 290), 16)
    for encoder in (
        TransformerEncoder(TransformerShape(width=16, layers=2, heads=2, feed_forward=24)),
        ConformerEncoder(ConformerShape(width=16, layers=2, heads=2, feed_forward=24, kernel=3)),
    ):
        encoder.eval()
        seen = []
        hook = encoder.layers[0].register_forward_hook(
            lambda _, inputs, __, seen=seen: seen.append(inputs[0])
        )
        whole = encoder(batch)
        with torch.inference_mode():
            memory = encoder(batch)
        hook.remove()
        assert [tuple(x.shape[:2]) for x in seen] == [(9, 310), (4, 310), (5, 210)]
        mask = batch.mask()
        torch.testing.assert_close(memory.values[mask], whole.values[mask])
        torch.testing.assert_close(memory.final, whole.final)
        assert memory.values.shape == whole.values.shape
        assert torch.equal(memory.lengths, batch.lengths)


def test_joined_memories_have_their_tokens_where_their_positions_are():
    memories = [
        random_memory((2, 1), 4)._replace(copy_ids=torch.tensor([[1, 2], [3, 99]])),
        random_memory((1, 2), 4)._replace(copy_ids=torch.tensor([[5, 99], [6, 7]])),
    ]
    joined = join_memories(memories)
    assert joined.copy_ids is not None
    assert joined.copy_ids[:, :3].tolist() == [[1, 2, 5], [3, 6, 7]]
    assert join_memories([memories[0], random_memory((1, 2), 4)]).copy_ids is None
