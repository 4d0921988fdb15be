from __future__ import annotations

import pytest
import torch

from seqloom.batch import Padded
from seqloom.errors import ConfigError, DataError
from seqloom.nn.embedding import TiedProjection, TokenEmbedding, free_projection
from seqloom.nn.transformer import TransformerDecoder, TransformerEncoder, TransformerShape
from seqloom.testing import DecoderContract, EncoderContract, random_memory, random_padded, random_tokens


def small(**changes: object) -> TransformerShape:
    sizes = {"width": 16, "layers": 2, "heads": 4, "feed_forward": 24, "dropout": 0.0, "max_positions": 8}
    return TransformerShape(**(sizes | changes))


def encoder(**changes: object) -> TransformerEncoder:
    torch.manual_seed(1)
    return TransformerEncoder(small(**changes)).eval()


def decoder(shape: TransformerShape, memory_width: int = 16) -> TransformerDecoder:
    embedding = TokenEmbedding(11, shape.width, pad_id=0)
    return TransformerDecoder(shape, memory_width, embedding, TiedProjection(embedding))


class TestPreNormEncoder(EncoderContract):
    def build(self):
        return TransformerEncoder(small())


class TestPostNormEncoder(EncoderContract):
    def build(self):
        return TransformerEncoder(small(norm="post", activation="gelu"))


class TestEncoderWithLearnedPositions(EncoderContract):
    def build(self):
        return TransformerEncoder(small(positions="learned"))


class TestPreNormDecoder(DecoderContract):
    def build(self):
        return decoder(small())


class TestPostNormDecoder(DecoderContract):
    def build(self):
        return decoder(small(norm="post", activation="gelu"))


class TestDecoderWithLearnedPositions(DecoderContract):
    def build(self):
        return decoder(small(positions="learned"))


class TestDecoderOfANarrowMemory(DecoderContract):
    memory_width = 6

    def build(self):
        embedding = TokenEmbedding(11, 16, pad_id=0)
        return TransformerDecoder(small(), 6, embedding, free_projection(16, 11))


@pytest.mark.parametrize(
    "change",
    [{"norm": "post"}, {"activation": "gelu"}, {"positions": "learned"}, {"heads": 2}, {"layers": 1}],
    ids=str,
)
def test_each_choice_acts(change):
    features = random_padded((5, 3), 16)
    usual, other = encoder(), encoder(**change)
    other.load_state_dict(usual.state_dict(), strict=False)  # what both have is the same
    assert not torch.allclose(usual(features).values, other(features).values, atol=1e-3)


@pytest.mark.parametrize("part", ["dropout", "attention_dropout"])
def test_dropout_acts_in_training_only(part):
    memory, tokens = random_memory((5, 3), 16), random_tokens((4, 2), 11, seed=3)
    for model, inputs in (
        (TransformerEncoder(small(**{part: 0.5})), [random_padded((5, 3), 16)]),
        (decoder(small(**{part: 0.5})), [memory, tokens]),
    ):
        assert not torch.equal(model(*inputs)[0], model(*inputs)[0])
        model.eval()
        assert torch.equal(model(*inputs)[0], model(*inputs)[0])


def test_cross_attention_drops_weights_too():
    model = decoder(small(attention_dropout=0.5))
    for layer in model.layers:
        layer.self_attention.eval()
    inputs = random_memory((5, 3), 16), random_tokens((4, 2), 11, seed=3)
    assert not torch.equal(model(*inputs).logits, model(*inputs).logits)


def test_pre_norm_ends_in_a_norm_of_its_own():
    values = encoder()(random_padded((6,), 16)).values
    torch.testing.assert_close(values.mean(-1), torch.zeros(1, 6), rtol=0, atol=1e-5)
    torch.testing.assert_close(values.var(-1, correction=0), torch.ones(1, 6), rtol=0, atol=1e-3)


def test_final_is_the_mean_of_real_positions():
    memory = encoder()(random_padded((5, 3), 16))
    torch.testing.assert_close(memory.final[1, 0], memory.values[1, :3].mean(0))


def test_a_sequence_too_long_for_learned_positions_is_refused():
    with pytest.raises(DataError, match=r"9 positions.*only 8"):
        encoder(positions="learned")(random_padded((9,), 16))
    model = decoder(small(positions="learned"))
    with pytest.raises(DataError, match="9 positions"):
        model(random_memory((5,), 16), random_tokens((9,), 11, seed=3))


def test_sinusoids_have_no_limit_and_are_not_saved():
    model = encoder()
    before = set(model.state_dict())
    assert model(random_padded((700,), 16)).values.isfinite().all()
    assert set(model.state_dict()) == before
    assert not any("position" in name for name in before)


def test_what_was_met_in_inference_does_not_hinder_training():
    model = encoder()
    with torch.inference_mode():
        model(random_padded((5,), 16))
    model(random_padded((5,), 16)).values.sum().backward()


def test_order_matters():
    features = random_padded((5,), 16)
    turned = Padded(features.values.flip(1), features.lengths)
    model = encoder()
    assert not torch.allclose(model(features).values.flip(1), model(turned).values, atol=1e-3)


def test_heads_must_divide_the_width():
    with pytest.raises(ConfigError, match="3 attention heads do not divide a width of 16"):
        TransformerEncoder(small(heads=3))


def test_layers_begin_with_glorots_bound():
    layer = encoder().layers[0]
    bound = (6 / (16 + 24)) ** 0.5
    weight = layer.feed_forward.inner.weight
    assert 0.9 * bound < weight.abs().max() <= bound
    assert not layer.feed_forward.inner.bias.any()
