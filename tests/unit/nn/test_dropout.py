from __future__ import annotations

import pytest
import torch

from seqloom.nn.dropout import Dropout


@pytest.mark.parametrize("probability", [0.1, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_so_many_become_zero_and_the_mean_stays(probability: float, dtype: torch.dtype) -> None:
    torch.manual_seed(1)
    values = torch.ones(301, 333, dtype=dtype)
    dropped = Dropout(probability)(values)
    share = (dropped == 0).float().mean().item()
    assert share == pytest.approx(probability, abs=5 * (probability * (1 - probability) / 100_233) ** 0.5)
    kept = dropped[dropped != 0].float()
    assert kept.unique().numel() == 1
    assert kept[0].item() == pytest.approx(1 / (1 - probability), rel=1e-2 if dtype.itemsize == 2 else 1e-4)


def test_features_fall_independently() -> None:
    torch.manual_seed(1)
    kept = (Dropout(0.5)(torch.ones(4, 50_000)) != 0).float()
    assert (torch.corrcoef(kept) - torch.eye(4)).abs().max() < 0.03
    neighbours = torch.stack([kept.flatten()[shift : -4 or None][:190_000] for shift in range(4)])
    assert (torch.corrcoef(neighbours) - torch.eye(4)).abs().max() < 0.02


def test_the_seed_decides() -> None:
    def drawn(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return Dropout(0.3)(torch.ones(7, 5, 3))

    assert torch.equal(drawn(1), drawn(1))
    assert not torch.equal(drawn(1), drawn(2))


def test_gradients_fall_with_their_features() -> None:
    values = torch.ones(999, requires_grad=True)
    dropped = Dropout(0.3)(values)
    (gradient,) = torch.autograd.grad(dropped.sum(), values)
    assert torch.equal(gradient, dropped)


def test_nothing_falls_in_evaluation_or_with_no_probability() -> None:
    values = torch.ones(3, 5)
    assert Dropout(0.3).eval()(values) is values
    assert Dropout(0.0)(values) is values
    assert Dropout(0.3)(torch.empty(0, 4)).shape == (0, 4)
