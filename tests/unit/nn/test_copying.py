"""What is attended to may be said."""

from __future__ import annotations

import math

import pytest
import torch

from seqloom.nn.copying import LEAST, Pointer


@pytest.fixture
def pointer() -> Pointer:
    """Copies three times in four, whatever its state."""
    pointer = Pointer(2)
    torch.nn.init.zeros_(pointer.share.weight)
    torch.nn.init.constant_(pointer.share.bias, math.log(3))
    return pointer


def test_a_share_of_each_probability_follows_the_attention(pointer: Pointer) -> None:
    logits = torch.tensor([[0.2, 0.3, 0.5]]).log()
    weights, copy_ids = torch.tensor([[0.5, 0.1, 0.4, 0.0]]), torch.tensor([[2, 0, 2, 1]])
    found = pointer(logits, torch.ones(1, 2), weights, copy_ids).exp()
    expected = torch.tensor([[0.05 + 0.75 * 0.1, 0.075, 0.125 + 0.75 * 0.9]])
    torch.testing.assert_close(found, expected)


def test_the_state_decides_how_much_is_copied(pointer: Pointer) -> None:
    torch.nn.init.ones_(pointer.share.weight)
    states = torch.tensor([[-9.0, -9.0], [9.0, 9.0]])
    copy_ids = torch.ones(2, 1, dtype=torch.int64)
    found = pointer(torch.zeros(2, 4), states, torch.ones(2, 1), copy_ids).exp()
    torch.testing.assert_close(found[0], torch.full((4,), 0.25), atol=1e-4, rtol=0)
    torch.testing.assert_close(found[1], torch.tensor([0.0, 1.0, 0.0, 0.0]), atol=1e-4, rtol=0)


@pytest.mark.parametrize("certain", [1e3, -1e3])
def test_what_is_impossible_has_finite_logarithms_and_gradients(pointer: Pointer, certain: float) -> None:
    logits = torch.tensor([[0.0, certain]], requires_grad=True)
    found = pointer(logits, torch.ones(1, 2), torch.ones(1, 1), torch.zeros(1, 1, dtype=torch.int64))
    assert found.min() >= math.log(LEAST) - 1e-3
    found.sum().backward()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()
    assert pointer.share.bias.grad is not None
    assert pointer.share.bias.grad.isfinite().all()


def test_it_computes_in_fp32(pointer: Pointer) -> None:
    half = [part.bfloat16() for part in (torch.zeros(1, 4), torch.ones(1, 2), torch.ones(1, 1))]
    found = pointer.bfloat16()(*half, torch.zeros(1, 1, dtype=torch.int64))
    assert found.dtype == torch.float32
