from __future__ import annotations

import math

import pytest
import torch

from seqloom.errors import DataError
from seqloom.nn.positions import LearnedPositions, SinusoidalPositions, sinusoids

CPU = torch.device("cpu")


@pytest.mark.parametrize("width", [8, 7])
def test_waves_are_those_of_the_paper(width):
    table = sinusoids(30, width)
    assert table.shape == (30, width)
    assert table.dtype == torch.float32
    for time in (0, 1, 29):
        for column in range(width):
            angle = time / 10_000 ** (column // 2 * 2 / width)
            wave = math.cos(angle) if column % 2 else math.sin(angle)
            assert table[time, column].item() == pytest.approx(wave, abs=1e-6)


def test_far_positions_are_exact():
    """Computed in double precision: fp32 angles of this size would be wrong in the third digit."""
    far = SinusoidalPositions(4)(100_000, 1, CPU)
    assert far[0, 0].item() == pytest.approx(math.sin(100_000), abs=1e-6)


def test_a_slice_is_a_slice_of_the_whole():
    positions = SinusoidalPositions(8)
    whole = positions(0, 600, CPU)
    assert torch.equal(positions(20, 3, CPU), whole[20:23])
    assert torch.equal(SinusoidalPositions(8)(20, 3, CPU), whole[20:23])


def test_learned_positions_end():
    positions = LearnedPositions(8, limit=5)
    assert torch.equal(positions(3, 2, CPU), positions.weight[3:5])
    with pytest.raises(DataError, match="has 6 positions, and the model learned only 5"):
        positions(5, 1, CPU)
