from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seqloom.batch import Padded
from seqloom.errors import ConfigError
from seqloom.nn.attention import AdditiveAttention, Attention, DotAttention, LocationAttention
from seqloom.nn.embedding import TiedProjection, TokenEmbedding
from seqloom.nn.recurrence import Bridge, Recurrence, RecurrentShape
from seqloom.nn.recurrent import RecurrentDecoder, RecurrentEncoder
from seqloom.testing import DecoderContract, EncoderContract, random_memory, random_padded, random_tokens

LSTM = RecurrentShape(cell="lstm", layers=2, hidden=12, dropout=0.0)
GRU = RecurrentShape(cell="gru", layers=2, hidden=12, dropout=0.0)


class TestBidirectionalLstmEncoder(EncoderContract):
    def build(self):
        return RecurrentEncoder(16, LSTM)


class TestBidirectionalGruEncoder(EncoderContract):
    def build(self):
        return RecurrentEncoder(16, GRU)


class TestOneWayLstmEncoder(EncoderContract):
    def build(self):
        return RecurrentEncoder(16, LSTM, bidirectional=False)


class TestReversedLstmEncoder(EncoderContract):
    def build(self):
        return RecurrentEncoder(16, LSTM, bidirectional=False, reverse=True)


class TestReversedGruEncoder(EncoderContract):
    def build(self):
        return RecurrentEncoder(16, GRU, bidirectional=False, reverse=True)


def decoder(shape, attention, memory_final=(1, 16), input_feeding=False, copying=False):
    embedding = TokenEmbedding(11, 10, pad_id=0)
    return RecurrentDecoder(
        embedding,
        TiedProjection(embedding),
        attention,
        memory_final,
        shape,
        input_feeding=input_feeding,
        copying=copying,
    )


class TestLstmDecoderWithAdditiveAttention(DecoderContract):
    memory_final = (2, 24)

    def build(self):
        return decoder(LSTM, AdditiveAttention(12, 16, 8), self.memory_final)


class TestGruDecoderWithDotAttention(DecoderContract):
    def build(self):
        return decoder(GRU, DotAttention(12, 16))


class TestLstmDecoderWithoutAttention(DecoderContract):
    def build(self):
        return decoder(LSTM, None)


class TestGruDecoderWithoutAttention(DecoderContract):
    memory_final = (3, 16)

    def build(self):
        return decoder(GRU, None, self.memory_final)


class TestLstmDecoderWithInputFeeding(DecoderContract):
    def build(self):
        return decoder(LSTM, DotAttention(12, 16), input_feeding=True)


class TestGruDecoderWithInputFeeding(DecoderContract):
    def build(self):
        return decoder(GRU, AdditiveAttention(12, 16, 8), input_feeding=True)


class Walking(Attention):
    """Looks at position 0, 1, 2 .. after one another: its state is where it stands."""

    sequential = True
    width = 16

    def prepare(self, memory):
        return memory.values, memory.lengths

    def start(self, keys, hypotheses):
        return keys[1].new_zeros(len(keys[1]), hypotheses)

    def forward(self, query, keys, state):
        values, lengths = keys
        weights = nn.functional.one_hot(state, values.shape[1]).to(values.dtype)
        return weights @ values, weights, (state + 1).minimum(lengths[:, None] - 1)


class TestDecoderWithSequentialAttention(DecoderContract):
    def build(self):
        return decoder(LSTM, Walking())


class TestDecoderWithLocationAttention(DecoderContract):
    def build(self):
        return decoder(LSTM, LocationAttention(12, 16, 8, kernel=5), input_feeding=True)


class TestCopyingDecoder(DecoderContract):
    def memory(self):
        memory = super().memory()
        ids = random_tokens(memory.lengths.tolist(), self.vocabulary_size, 5).values
        return memory._replace(copy_ids=ids)

    def build(self):
        return decoder(LSTM, AdditiveAttention(12, 16, 8), copying=True)


class TestCopyingDecoderWithInputFeeding(TestCopyingDecoder):
    def build(self):
        return decoder(GRU, DotAttention(12, 16), input_feeding=True, copying=True)


def test_copying_needs_an_attention_and_tokens_of_the_source():
    with pytest.raises(ConfigError, match="copying says what a step attends to, and this decoder has no"):
        decoder(LSTM, None, copying=True)
    part = decoder(LSTM, DotAttention(12, 16), copying=True)
    with pytest.raises(ConfigError, match="give both one tokenizer, as tokenizers"):
        part(random_memory((2, 1), 16, (1, 16)), random_tokens((2, 2), 11, 1))


def encoded(encoder: RecurrentEncoder, *lengths: int):
    return encoder.eval()(random_padded(lengths, 16))


def test_final_is_each_layers_last_state_with_directions_and_h_and_c_side_by_side():
    memory = encoded(RecurrentEncoder(16, LSTM), 5, 3)
    h_forward, h_backward, _, _ = memory.final[1, -1].split(12)
    torch.testing.assert_close(h_forward, memory.values[1, 2, :12])
    torch.testing.assert_close(h_backward, memory.values[1, 0, 12:])


def test_final_holds_the_lstms_cells():
    encoder = RecurrentEncoder(16, LSTM, bidirectional=False)
    features = random_padded((5, 3), 16)
    memory = encoder(features)
    _, (_, cells) = encoder.recurrence.layers(features.values[1:, :3])
    torch.testing.assert_close(memory.final[1, :, 12:], cells[:, 0])


def test_reversed_reading_is_reading_the_reversed():
    torch.manual_seed(1)
    onward = RecurrentEncoder(16, LSTM, bidirectional=False)
    torch.manual_seed(1)
    backward = RecurrentEncoder(16, LSTM, bidirectional=False, reverse=True)
    features = random_padded((4,), 16)
    read = onward(Padded(features.values.flip(1), features.lengths))
    torch.testing.assert_close(backward(features).values, read.values.flip(1))
    torch.testing.assert_close(backward(features).final, read.final)


def test_reading_both_ways_and_backwards_is_refused():
    with pytest.raises(ConfigError, match="either bidirectional or reverse"):
        RecurrentEncoder(16, LSTM, bidirectional=True, reverse=True)


def test_input_feeding_needs_an_attention():
    with pytest.raises(ConfigError, match=r"no attention: name one as model\.attention"):
        decoder(LSTM, None, input_feeding=True)


def test_input_feeding_feeds_the_last_output():
    model = decoder(LSTM, DotAttention(12, 16), input_feeding=True).eval()
    context = model.prepare(random_memory((5, 3), 16, (1, 16)))
    start, token = model.start(context, 1), torch.tensor([[3], [4]])
    _, after = model.step(context, start, token)
    forgetful = after._replace(fed=torch.zeros_like(after.fed))
    assert not torch.allclose(
        model.step(context, after, token)[0], model.step(context, forgetful, token)[0]
    )


def test_without_attention_only_the_final_state_is_known():
    model = decoder(LSTM, None)
    memory, tokens = random_memory((5, 3), 16, (1, 16)), random_tokens((4, 2), 11, seed=3)
    deaf = memory._replace(values=memory.values * 2)
    torch.testing.assert_close(model(memory, tokens).logits, model(deaf, tokens).logits)
    other = memory._replace(final=memory.final * 2)
    assert not torch.allclose(model(memory, tokens).logits, model(other, tokens).logits)
    assert model(memory, tokens, weights=True).attention is None


@pytest.mark.parametrize(
    ("memory_layers", "read"), [(1, [0, 0, 0]), (2, [0, 0, 1]), (3, [0, 1, 2]), (5, [2, 3, 4])]
)
def test_the_bridge_matches_layers_from_the_top(memory_layers, read):
    bridge = Bridge((memory_layers, 4), (3, 6))
    final = torch.randn(2, memory_layers, 4)
    begun = bridge(final)
    for layer, source in enumerate(read):
        torch.testing.assert_close(begun[:, layer], bridge.layers[layer](final[:, source]).tanh())


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("bidirectional", [True, False])
def test_a_recurrence_goes_on_where_it_stopped(cell, bidirectional):
    """State out, state in: torch's own layers with its own states give the same."""
    recurrence = Recurrence(
        RecurrentShape(cell=cell, layers=3, hidden=5), 4, bidirectional=bidirectional
    ).eval()
    first, second = torch.randn(2, 3, 6, 4).unbind(0)
    _, state = recurrence(first)
    assert state.shape == (3, 3, recurrence.state_width)
    _, torchs = recurrence.layers(first)
    torch.testing.assert_close(recurrence(second, state)[0], recurrence.layers(second, torchs)[0])


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_steps_are_as_the_whole_sequence(cell):
    recurrence = Recurrence(RecurrentShape(cell=cell, layers=3, hidden=5), 4).eval()
    values, state = torch.randn(2, 6, 4), torch.randn(2, 3, recurrence.state_width)
    whole, end = recurrence(values, state)
    for position in range(6):
        read, state = recurrence.step(values[:, position], state)
        torch.testing.assert_close(read, whole[:, position])
    torch.testing.assert_close(state, end)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("input_feeding", [True, False])
def test_dropout_acts_in_training_only(layers, input_feeding):
    shape = RecurrentShape(layers=layers, hidden=12, dropout=0.5)
    features = random_padded((5, 3), 16)
    inputs = random_memory((5, 3), 16, (1, 16)), random_tokens((4, 2), 11, seed=3)
    for model, given in (
        (RecurrentEncoder(16, shape), [features]),
        (decoder(shape, DotAttention(12, 16), input_feeding=input_feeding), inputs),
    ):
        assert not torch.equal(model(*given)[0], model(*given)[0])
        model.eval()
        assert torch.equal(model(*given)[0], model(*given)[0])


def test_dropout_acts_between_layers():
    shape = RecurrentShape(layers=2, hidden=12, dropout=0.5)
    recurrence = Recurrence(shape, 16)
    values = random_padded((5, 3), 16).values
    assert not torch.equal(recurrence(values)[0], recurrence(values)[0])
    state = torch.zeros(2, 2, 24)
    assert not torch.equal(recurrence.step(values[:, 0], state)[0], recurrence.step(values[:, 0], state)[0])


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("bidirectional", [True, False])
def test_a_state_is_held_through_padding(cell, bidirectional):
    """On a CPU, where the layers read padding, too: all is as torch has it for packed sequences."""
    recurrence = Recurrence(RecurrentShape(cell=cell, layers=3, hidden=5), 4, bidirectional=bidirectional)
    recurrence.eval()
    values, lengths = random_padded((5, 1, 7, 2), 4)
    read, final = recurrence.read(Padded(values, lengths))
    packed = pack_padded_sequence(values, lengths, batch_first=True, enforce_sorted=False)
    theirs, end = recurrence.layers(packed)
    expected, _ = pad_packed_sequence(theirs, batch_first=True)
    mask = Padded(values, lengths).mask()
    torch.testing.assert_close(read[mask], expected[mask])
    torch.testing.assert_close(final, recurrence._join(end))
    found, wanted = (
        torch.autograd.grad(out.square().sum(), list(recurrence.parameters()))
        for out in (final, recurrence._join(end))
    )
    torch.testing.assert_close(found, wanted)
