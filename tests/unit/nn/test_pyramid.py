"""Recurrent layers that halve the number of positions."""

from __future__ import annotations

import pytest
import torch

from seqloom.batch import Padded
from seqloom.errors import ConfigError
from seqloom.nn.encoder import join_positions
from seqloom.nn.recurrence import RecurrentShape
from seqloom.nn.recurrent import RecurrentEncoder
from seqloom.testing import EncoderContract, random_padded

GRU = RecurrentShape(cell="gru", layers=2, hidden=12, dropout=0.0)
LSTM = RecurrentShape(cell="lstm", layers=3, hidden=12, dropout=0.0)


class TestPyramidOfLstms(EncoderContract):
    def build(self):
        return RecurrentEncoder(16, LSTM, pyramid=2)


class TestOneWayPyramidOfGrus(EncoderContract):
    def build(self):
        return RecurrentEncoder(16, GRU, bidirectional=False, pyramid=1)


class TestReversedPyramid(EncoderContract):
    def build(self):
        return RecurrentEncoder(16, LSTM, bidirectional=False, reverse=True, pyramid=2)


def by_the_paper(encoder, values):
    """One sequence [T, D], pair by pair (Chan et al. 2016, equation 5), and each layer's last state."""
    read, state = encoder.recurrence.layers(values[None])
    finals = [encoder.recurrence._join(state)]
    for layer in encoder.pyramid:
        rows = list(read[0])
        if len(rows) % 2:
            rows.append(torch.zeros_like(rows[0]))
        pairs = [torch.cat(pair) for pair in zip(rows[::2], rows[1::2], strict=True)]
        read, state = layer.layers(torch.stack(pairs)[None])
        finals.append(layer._join(state))
    return read[0], torch.cat(finals, 1)[0]


@pytest.mark.parametrize(("shape", "pyramid"), [(GRU, 1), (LSTM, 1), (LSTM, 2)])
def test_it_is_the_papers(shape, pyramid):
    encoder, padded = RecurrentEncoder(16, shape, pyramid=pyramid), random_padded((9, 4, 7, 1), 16)
    memory = encoder(padded)
    assert memory.lengths.tolist() == ([5, 2, 4, 1] if pyramid == 1 else [3, 1, 2, 1])
    for row, (before, after) in enumerate(zip(padded.lengths, memory.lengths, strict=True)):
        read, final = by_the_paper(encoder, padded.values[row, :before])
        torch.testing.assert_close(memory.values[row, :after], read, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(memory.final[row], final, rtol=1e-5, atol=1e-5)


def test_reversed_pairs_are_made_from_the_end():
    torch.manual_seed(1)
    onward = RecurrentEncoder(16, GRU, bidirectional=False, pyramid=1)
    torch.manual_seed(1)
    backward = RecurrentEncoder(16, GRU, bidirectional=False, reverse=True, pyramid=1)
    features = random_padded((5,), 16)
    read = onward(Padded(features.values.flip(1), features.lengths))
    torch.testing.assert_close(backward(features).values, read.values.flip(1))


def test_dropout_acts_before_each_layer():
    shape = RecurrentShape(layers=2, hidden=12, dropout=0.5)
    encoder, features = RecurrentEncoder(16, shape, pyramid=1), random_padded((5, 3), 16)
    encoder.dropout.register_forward_hook(lambda _, given, found: seen.append(torch.equal(*given, found)))
    seen: list[bool] = []
    encoder(features)
    assert seen == [False, False]
    encoder.eval()(features)
    assert seen[2:] == [True, True]


def test_a_layer_below_reads_every_position():
    with pytest.raises(ConfigError, match="takes 3 layers, and there are 2"):
        RecurrentEncoder(16, GRU, pyramid=2)


def test_what_is_missing_at_the_end_is_zeros():
    values = torch.tensor([[[1.0], [2.0], [3.0], [4.0], [5.0]], [[6.0], [7.0], [torch.nan], [9.0], [9.0]]])
    joined = join_positions(Padded(values, torch.tensor([5, 2])), 3)
    assert joined.lengths.tolist() == [2, 1]
    assert joined.values.tolist() == [[[1, 2, 3], [4, 5, 0]], [[6, 7, 0], [0, 0, 0]]]
