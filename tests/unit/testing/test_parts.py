"""The contracts refuse parts that break them: each broken part below fails at least the test named."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from seqloom.batch import Memory
from seqloom.nn.attention import DotAttention
from seqloom.nn.decoder import Decoder
from seqloom.nn.embedding import TokenEmbedding, free_projection
from seqloom.nn.encoder import Encoder, masked_mean
from seqloom.nn.recurrence import RecurrentShape
from seqloom.nn.recurrent import RecurrentDecoder
from seqloom.testing import AttentionContract, DecoderContract, EncoderContract


class LinearEncoder(Encoder):
    """Keeps the contract; its subclasses below each break it in one way."""

    width = 16
    final_shape = (1, 16)

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(16, 16)

    def forward(self, features):
        values = self.layer(features.values)
        return Memory(values, features.lengths, masked_mean(values, features.mask()))


class HearsPadding(LinearEncoder):
    def forward(self, features):
        memory = super().forward(features)
        return memory._replace(final=memory.values.mean(1, keepdim=True))


class HearsOthers(LinearEncoder):
    def forward(self, features):
        memory = super().forward(features)
        return memory._replace(values=memory.values - memory.values.mean(0))


class WrongShape(LinearEncoder):
    final_shape = (2, 16)


class LengthsFromNumbers(LinearEncoder):
    def forward(self, features):
        memory = super().forward(features)
        return memory._replace(lengths=(features.values[..., 0] > 0.5).sum(1).clamp(min=1))


class SaysAnotherStride(LinearEncoder):
    stride = 2


class Idle(LinearEncoder):
    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))


class Forgets(LinearEncoder):
    def __init__(self):
        super().__init__()
        self.hidden_state = torch.randn(16)

    def forward(self, features):
        memory = super().forward(features)
        return memory._replace(values=memory.values + self.hidden_state)


class Unmasked(DotAttention):
    def prepare(self, memory):
        keys = super().prepare(memory)
        return keys._replace(mask=torch.ones_like(keys.mask))


class SeesOtherQueries(DotAttention):
    def forward(self, query, keys, state):
        return super().forward(query + query.mean(1, keepdim=True), keys, state)


class LooksAhead(RecurrentDecoder):
    def forward(self, memory, tokens, *, at=None, weights=False):
        turned = tokens._replace(values=tokens.values.flip(1))
        return super().forward(memory, turned, at=at, weights=weights)


class IgnoresAt(RecurrentDecoder):
    def forward(self, memory, tokens, *, at=None, weights=False):
        return super().forward(memory, tokens, weights=weights)


class MixesHypotheses(RecurrentDecoder):
    def step(self, context, state, token):
        logits, state = super().step(context, state, token)
        return logits + logits.mean(1, keepdim=True), state


def broken_decoder(kind: type[Decoder]) -> Decoder:
    shape = RecurrentShape(layers=1, hidden=12, dropout=0.0)
    embedding = TokenEmbedding(11, 10, pad_id=0)
    return kind(embedding, free_projection(10, 11), DotAttention(12, 16), (1, 16), shape)


@pytest.mark.parametrize(
    ("encoder", "wanted"),
    [
        (LinearEncoder, set()),
        (HearsPadding, {"an_example_alone_is_as_in_a_batch"}),
        (HearsOthers, {"an_example_alone_is_as_in_a_batch"}),
        (WrongShape, {"shapes_are_those_announced"}),
        (LengthsFromNumbers, {"lengths_follow_from_lengths"}),
        (SaysAnotherStride, {"positions_stand_for_as_many_features_as_announced"}),
        (Idle, {"gradients_reach_every_parameter"}),
        (Forgets, {"what_is_loaded_is_what_was_saved"}),
    ],
)
def test_a_broken_encoder_is_refused(encoder, wanted, failures):
    failed = failures(EncoderContract, build=lambda self: encoder())
    assert wanted <= failed
    assert wanted or not failed


@pytest.mark.parametrize(
    ("attention", "wanted"),
    [
        (Unmasked, "weights_are_a_distribution_over_real_positions"),
        (SeesOtherQueries, "hypotheses_do_not_see_each_other"),
    ],
)
def test_a_broken_attention_is_refused(attention, wanted, failures):
    assert wanted in failures(AttentionContract, build=lambda self: attention(12, 16))


@pytest.mark.parametrize(
    ("decoder", "wanted"),
    [
        (LooksAhead, "steps_are_as_the_whole"),
        (IgnoresAt, "positions_to_predict_are_rows_of_the_whole"),
        (MixesHypotheses, "a_search_may_gather_and_drop"),
    ],
)
def test_a_broken_decoder_is_refused(decoder, wanted, failures):
    assert wanted in failures(DecoderContract, build=lambda self: broken_decoder(decoder))
