"""What is drawn follows from the generator, stays within its bounds and reaches all of them."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from seqloom.drawing import Draw


@pytest.fixture
def draw() -> Draw:
    return Draw(torch.Generator().manual_seed(1))


def test_the_same_generator_gives_the_same() -> None:
    def some(seed: int) -> list[object]:
        draw = Draw(torch.Generator().manual_seed(seed))
        return [
            draw.between(2, 3),
            draw.around(5, 1),
            draw.below(10**6),
            draw.one_of(range(10**6)),
            draw.normal((2, 3)).tolist(),
        ]

    assert some(1) == some(1)
    assert all(one != other for one, other in zip(some(1), some(2), strict=True))


def test_numbers_lie_evenly_between_two(draw: Draw) -> None:
    tenths = Counter(int(10 * (draw.between(3, 5) - 3) / 2) for _ in range(2000))
    assert sorted(tenths) == list(range(10))
    assert 140 < min(tenths.values()) <= max(tenths.values()) < 260


def test_numbers_lie_around_one(draw: Draw) -> None:
    found = [draw.around(7, 2) for _ in range(500)]
    assert 5 <= min(found) < 5.1
    assert 8.9 < max(found) < 9


def test_every_item_has_its_turn(draw: Draw) -> None:
    assert {draw.below(4) for _ in range(100)} == {0, 1, 2, 3}
    turns = Counter(draw.one_of(["a", "b", "c"]) for _ in range(900))
    assert set(turns) == {"a", "b", "c"}
    assert min(turns.values()) > 240


def test_normal_numbers_have_mean_zero_and_variance_one(draw: Draw) -> None:
    found = draw.normal((100, 200))
    assert found.shape == (100, 200)
    assert abs(found.mean()) < 0.03
    assert abs(found.var() - 1) < 0.05
