from __future__ import annotations

import math

import pytest
import torch

from seqloom.errors import ConfigError
from seqloom.nn.positions import sinusoids
from seqloom.nn.relative import WAVES, RelativeAttention
from seqloom.testing import random_padded

LENGTHS = (5, 2)


def attention(width=12, heads=2):
    torch.manual_seed(1)
    part = RelativeAttention(width, heads)
    for bias in (part.content_bias, part.distance_bias):
        torch.nn.init.normal_(bias)
    return part


def waves_of(distance):
    """Those of a distance, which may be negative."""
    angles = [distance * 10_000 ** (-column / WAVES) for column in range(0, WAVES, 2)]
    return torch.tensor([wave for angle in angles for wave in (math.sin(angle), math.cos(angle))])


def by_pairs(part, values):
    """A sequence [T, D], pair by pair: Dai et al. 2019, section 3.3."""
    heads, width = part.split
    found = torch.empty(len(values), heads * width)
    query, key, value = part.project(values).view(-1, 3, heads, width).unbind(1)  # each [T, h, d]
    for head in range(heads):
        for i in range(len(values)):
            scores = []
            for j in range(len(values)):
                content = (query[i, head] + part.content_bias[head, 0]) @ key[j, head]
                far = part.distance[head] @ waves_of(i - j)
                scores.append((content + (query[i, head] + part.distance_bias[head, 0]) @ far) / width**0.5)
            weights = torch.stack(scores).softmax(0)
            found[i, head * width : (head + 1) * width] = weights @ value[:, head]
    return part.out(found)


def test_it_is_what_pairs_give_and_so_are_its_gradients():
    part, padded = attention(), random_padded(LENGTHS, 12)
    values = padded.values.requires_grad_()
    attended = part(values, sinusoids(5, WAVES), padded.mask()[:, None, None])
    found = torch.cat([attended[row, :length] for row, length in enumerate(LENGTHS)])
    wanted = torch.cat([by_pairs(part, values[row, :length]) for row, length in enumerate(LENGTHS)])
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)
    leaves = [values, *part.parameters()]
    ours, theirs = (torch.autograd.grad(each.square().sum(), leaves) for each in (found, wanted))
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_only_distances_count():
    part, padded = attention(), random_padded((5,), 12)
    table, mask = sinusoids(2_005, WAVES), padded.mask()[:, None, None]
    early, late = (part(padded.values, table[start : start + 5], mask) for start in (0, 2_000))
    torch.testing.assert_close(early, late, rtol=1e-4, atol=1e-4)


def test_heads_must_divide_the_width():
    with pytest.raises(ConfigError, match="5 attention heads do not divide a width of 12"):
        RelativeAttention(12, 5)
