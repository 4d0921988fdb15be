from __future__ import annotations

import pytest
import torch

from seqloom.batch import Memory
from seqloom.errors import ConfigError
from seqloom.nn.attention import AdditiveAttention, DotAttention, LocationAttention
from seqloom.testing import AttentionContract


class TestAdditiveAttention(AttentionContract):
    def build(self):
        return AdditiveAttention(self.query_width, self.memory_width, hidden=10)


class TestLocationAttention(AttentionContract):
    def build(self):
        return LocationAttention(self.query_width, self.memory_width, hidden=10, filters=3, kernel=5)


class TestSmoothLocationAttention(AttentionContract):
    def build(self):
        return LocationAttention(self.query_width, self.memory_width, hidden=10, kernel=1, smoothing=True)


class TestDotAttention(AttentionContract):
    def build(self):
        return DotAttention(self.query_width, self.memory_width)


class TestUnscaledDotAttention(AttentionContract):
    def build(self):
        return DotAttention(self.query_width, self.memory_width, scaled=False)


VALUES = torch.tensor([[[1.0, 0.0], [0.0, 2.0], [5.0, 5.0]]])
MEMORY = Memory(VALUES, torch.tensor([2]), final=VALUES[:, :1])


def look(attention, query):
    keys = attention.prepare(MEMORY)
    return attention(query, keys, attention.start(keys, 1))


@pytest.mark.parametrize("scaled", [True, False])
def test_a_dot_is_luongs_general_score(scaled):
    attention = DotAttention(2, 2, scaled)
    query = torch.tensor([[[0.5, -1.0]]])
    scores = VALUES[0, :2] @ attention.key.weight.T @ query[0, 0]
    wanted = (scores / 2**0.5 if scaled else scores).softmax(0)
    context, weights, _ = look(attention, query)
    torch.testing.assert_close(weights[0, 0, :2], wanted)
    torch.testing.assert_close(context[0, 0], wanted @ VALUES[0, :2])


def test_an_additive_score_is_bahdanaus():
    attention = AdditiveAttention(2, 2, hidden=3)
    query = torch.tensor([[[0.5, -1.0]]])
    hidden = query[0] @ attention.query.weight.T + VALUES[0, :2] @ attention.key.weight.T
    wanted = (hidden + attention.key.bias).tanh() @ attention.score.weight[0]
    _, weights, _ = look(attention, query)
    torch.testing.assert_close(weights[0, 0, :2], wanted.softmax(0))


@pytest.mark.parametrize("smoothing", [False, True])
def test_a_location_aware_score_is_chorowskis(smoothing):
    torch.manual_seed(1)
    part = LocationAttention(2, 2, hidden=3, filters=4, kernel=3, smoothing=smoothing)
    memory = Memory(VALUES, torch.tensor([3]), final=VALUES[:, :1])
    keys = part.prepare(memory)
    state, last = part.start(keys, 1), [0.0, 0.0, 0.0]
    for query in torch.randn(4, 1, 1, 2):
        scores = []
        for position in range(3):
            found = torch.zeros(4)
            for tap in range(3):
                if 0 <= position + tap - 1 < 3:
                    found = found + part.filters.weight[:, 0, tap] * last[position + tap - 1]
            hidden = part.query(query[0, 0]) + part.key(VALUES[0, position]) + part.location(found)
            scores.append(part.score(hidden.tanh()))
        scores = torch.cat(scores)
        wanted = scores.sigmoid() / scores.sigmoid().sum() if smoothing else scores.softmax(0)
        context, weights, state = part(query, keys, state)
        torch.testing.assert_close(weights[0, 0], wanted, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(context[0, 0], wanted @ VALUES[0], rtol=1e-5, atol=1e-5)
        last = wanted


def test_smooth_weights_do_not_vanish_together():
    """The sigmoids of scores far below zero are all nothing; their shares are not."""
    part = LocationAttention(2, 2, hidden=3, smoothing=True)
    torch.nn.init.constant_(part.score.weight, -1e3)
    torch.nn.init.constant_(part.key.bias, 9.0)
    _, weights, _ = look(part, torch.zeros(1, 1, 2))
    torch.testing.assert_close(weights.sum(-1), torch.ones(1, 1))


def test_a_filter_of_locations_needs_a_middle():
    with pytest.raises(ConfigError, match="4 positions has no middle"):
        LocationAttention(2, 2, hidden=3, kernel=4)
