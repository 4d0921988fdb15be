from __future__ import annotations

import math

import pytest

from seqloom.errors import DivergedError
from seqloom.search.result import hypothesis, length_limits, length_penalty


def test_the_longest_output_follows_from_the_source(kit):
    members = kit.prefix_members(5, [0.0] * 4, [0, 1, 3, 10])
    options = kit.options(max_length_factor=1.5, max_length_offset=2)
    assert length_limits(members, options) == [2, 3, 6, 17]


def test_no_output_is_longer_than_every_member_can_write(kit):
    members = [kit.prefix_members(5, [0.0] * 4, [0, 1, 3, 10])[0] for _ in range(3)]
    members[1].scorer.longest, members[2].scorer.longest = 5, 9
    options = kit.options(max_length_factor=1.5, max_length_offset=2)
    assert length_limits(members, options) == [2, 3, 5, 5]


@pytest.mark.parametrize(
    ("length", "alpha", "penalty"), [(1, 0.6, 1.0), (7, 1.0, 2.0), (19, 0.5, 2.0), (9, 0, 1)]
)
def test_length_penalty_is_equation_14_of_wu_et_al(length, alpha, penalty):
    assert length_penalty(length, alpha) == pytest.approx(penalty)


def test_a_hypothesis_is_ranked_by_its_sum_over_the_penalty():
    output = hypothesis([5, 6], [-1.0, -2.0, -3.0], alpha=1.0)
    assert output.tokens == (5, 6)
    assert output.token_scores == (-1.0, -2.0, -3.0)
    assert output.score == pytest.approx(-6 / (8 / 6))


@pytest.mark.parametrize("value", [math.nan, -math.inf])
def test_a_score_is_a_finite_number(value):
    with pytest.raises(DivergedError, match="NaN or infinity"):
        hypothesis([5], [-1.0, value], alpha=0.6)
