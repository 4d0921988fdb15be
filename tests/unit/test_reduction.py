"""What two ranks made of a step, added up. ``scenes.py`` has what they bring."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from seqloom.reduction import Reduction
from seqloom.world import World


def test_one_rank_keeps_what_it_has() -> None:
    parameters = [nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(2))]
    parameters[0].sum().backward()
    gradient, buffer = parameters[0].grad, torch.ones(2)
    table = Reduction(World(), parameters, [buffer])(torch.tensor([1.0, 2.0]))
    assert table.tolist() == [[1.0, 2.0]]
    assert parameters[0].grad is gradient
    assert parameters[1].grad is None
    assert buffer.tolist() == [1, 1]


@pytest.mark.slow
def test_gradients_add_up_and_only_those_that_nobody_has_are_none(scenes: list[dict[str, Any]]) -> None:
    for rank in scenes:
        assert rank["reduction"]["result"]["gradients"] == [[3.0, 3.0], [5.0, 5.0], None, None]


@pytest.mark.slow
def test_buffers_become_their_mean_and_counts_those_of_rank_0(scenes: list[dict[str, Any]]) -> None:
    for rank in scenes:
        assert rank["reduction"]["result"]["buffers"] == [3.0, 7]


@pytest.mark.slow
def test_every_rank_gets_the_row_of_each(scenes: list[dict[str, Any]]) -> None:
    for rank in scenes:
        assert rank["reduction"]["result"]["table"] == [[0.0, 0.1], [1.0, 0.1]]
