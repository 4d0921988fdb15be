from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from seqloom.batch import Padded
from seqloom.errors import ConfigError
from seqloom.nn.conformer import ConformerEncoder, ConformerShape
from seqloom.nn.positions import sinusoids
from seqloom.nn.relative import WAVES
from seqloom.testing import EncoderContract, random_padded


def encoder(**changes: object) -> ConformerEncoder:
    torch.manual_seed(1)
    sizes = {"width": 16, "layers": 2, "heads": 4, "feed_forward": 24, "kernel": 5, "dropout": 0.0}
    return ConformerEncoder(ConformerShape(**(sizes | changes)))


class TestConformer(EncoderContract):
    def build(self):
        return encoder()


class TestConformerOfAnOddHeadWidth(EncoderContract):
    width = 15

    def build(self):
        return encoder(width=15, heads=5, kernel=1)


class TestConformerOfNearPositions(EncoderContract):
    def build(self):
        return encoder(context=1)


def by_the_paper(layer, x):
    """One sequence [T, D] through a layer, module by module (Gulati et al. 2020, equation 1)."""

    def norm(module, values):
        centred = values - values.mean(-1, keepdim=True)
        return (
            centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt() * module.weight + module.bias
        )

    def swish(values):
        return values * values.sigmoid()

    def feed_forward(part, values):
        return part[4](swish(part[1](norm(part[0], values))))

    waves, mask = sinusoids(len(x), WAVES), torch.ones(1, len(x), dtype=torch.bool)
    x = x + feed_forward(layer.first_feed_forward, x) / 2
    x = x + layer.attention(norm(layer.attention_norm, x)[None], waves, mask[:, None, None])[0]
    module = layer.convolution
    content, gate = module.inner(norm(layer.convolution_norm, x)).chunk(2, -1)
    gated = (content * gate.sigmoid()).T[None]  # [1, D, T]
    depthwise = module.filter.filters
    weight, reach = depthwise.weight[:, :, 0], depthwise.weight.shape[-1] // 2
    filtered = F.conv1d(F.pad(gated, (reach, reach)), weight, depthwise.bias, groups=x.shape[1])[0].T
    x = x + module.outer(swish(norm(module.norm, filtered)))
    return norm(layer.norm, x + feed_forward(layer.second_feed_forward, x) / 2)


def test_a_layer_is_the_papers():
    model, padded = encoder(), random_padded((7, 4), 16)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    memory = model(padded)
    for row, length in enumerate((7, 4)):
        x = padded.values[row, :length]
        for layer in model.layers:
            x = by_the_paper(layer, x)
        torch.testing.assert_close(memory.values[row, :length], x, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(memory.final[row, 0], x.mean(0), rtol=1e-5, atol=1e-5)


def test_dropout_acts_in_training_only():
    model, features = encoder(dropout=0.5), random_padded((5, 3), 16)
    assert not torch.equal(model(features).values, model(features).values)
    model.eval()
    assert torch.equal(model(features).values, model(features).values)


def test_order_matters():
    features = random_padded((5,), 16)
    turned = Padded(features.values.flip(1), features.lengths)
    model = encoder()
    assert not torch.allclose(model(features).values.flip(1), model(turned).values, atol=1e-3)


@pytest.mark.parametrize(
    ("change", "told"),
    [({"kernel": 4}, "4 positions has no middle"), ({"heads": 3}, "3 attention heads do not divide")],
)
def test_what_cannot_be_built_is_refused(change, told):
    with pytest.raises(ConfigError, match=told):
        encoder(**change)


@pytest.mark.parametrize(("context", "reach"), [(0, 4), (3, 10), (None, 20)])
def test_an_input_matters_as_far_as_attention_and_convolution_see(context, reach):
    model, features = encoder(context=context).eval(), random_padded((20,), 16)
    values = features.values.clone().requires_grad_()
    model(Padded(values, features.lengths)).values[0, 0, 0].backward()
    matters = values.grad[0].abs().sum(-1) > 0
    assert matters.nonzero().max() == min(reach, 19)  # two layers, a kernel of 5 in each


def test_near_positions_are_all_where_there_are_few():
    features = random_padded((6, 4), 16)
    near, all_of_them = encoder(context=5), encoder()
    real = features.mask()
    torch.testing.assert_close(near(features).values[real], all_of_them(features).values[real])


def test_what_was_met_in_inference_does_not_hinder_training():
    model = encoder()
    with torch.inference_mode():
        model(random_padded((5,), 16))
    model(random_padded((5,), 16)).values.sum().backward()
