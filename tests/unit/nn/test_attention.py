from __future__ import annotations

import pytest
import torch

from seqloom.batch import Memory
from seqloom.nn.attention import AdditiveAttention, DotAttention
from seqloom.testing import AttentionContract


class TestAdditiveAttention(AttentionContract):
    def build(self):
        return AdditiveAttention(self.query_width, self.memory_width, hidden=10)


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
