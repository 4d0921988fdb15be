"""The few highest of many numbers."""

from __future__ import annotations

import pytest
import torch

from seqloom.search import highest as module
from seqloom.search.highest import highest


@pytest.mark.parametrize("size", [7, 640, 5120, 5133, 9999])
def test_it_finds_what_topk_finds(size: int) -> None:
    values = torch.randn(3, 2, size, generator=torch.Generator().manual_seed(size))
    best, places = highest(values, 5)
    assert torch.equal(best.sort(-1).values, values.topk(5).values.sort(-1).values)
    assert torch.equal(values.gather(-1, places), best)
    assert all(len(set(row)) == 5 for row in places.flatten(0, 1).tolist())


@pytest.mark.parametrize("place", [0, 5127, 5128, 5132])
def test_it_looks_everywhere(place: int) -> None:
    values = torch.zeros(1, 5133)
    values[0, place] = 1
    best, places = highest(values, 1)
    assert (best.item(), places.item()) == (1, place)


def test_all_of_them_may_lie_in_one_column() -> None:
    width = 8000 // module.DEPTH
    values = torch.zeros(1, 8000)
    values[0, 3::width] = torch.arange(1.0, module.DEPTH + 1)
    best, _ = highest(values, 5)
    assert sorted(best[0].tolist()) == list(range(module.DEPTH - 4, module.DEPTH + 1))


def test_a_row_chooses_among_equals_by_itself() -> None:
    values = torch.randint(0, 3, (6, 8000), generator=torch.Generator().manual_seed(1)).float()
    together = highest(values, 5)[1]
    assert torch.equal(together, torch.cat([highest(row[None], 5)[1] for row in values]))
    assert torch.equal(together.flip(0), highest(values.flip(0), 5)[1])


def test_what_is_not_a_number_is_found_first() -> None:
    values = torch.zeros(1, 8000)
    values[0, 4321] = torch.nan
    assert 4321 in highest(values, 5)[1]
