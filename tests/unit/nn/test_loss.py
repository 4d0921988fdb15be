from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from seqloom.nn import loss
from seqloom.nn.loss import cross_entropy


def example(count: int = 12, vocabulary: int = 9) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    logits = torch.randn(count, vocabulary, generator=generator) * 4
    return logits.requires_grad_(), torch.randint(vocabulary, (count,), generator=generator)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("piece", [1, 30, 10_000])
def test_it_is_torchs(smoothing: float, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss, "CPU_PIECE", piece)
    logits, wanted = example()
    ours = cross_entropy(logits, wanted, smoothing)
    theirs = F.cross_entropy(logits, wanted, reduction="sum", label_smoothing=smoothing)
    torch.testing.assert_close(ours.total, theirs)
    torch.testing.assert_close(ours.nll, F.cross_entropy(logits, wanted, reduction="sum"))
    assert ours.correct == (logits.argmax(-1) == wanted).sum()
    (gradient,) = torch.autograd.grad(3 * ours.total, logits)
    torch.testing.assert_close(gradient, torch.autograd.grad(3 * theirs, logits)[0])


def test_only_the_total_takes_a_gradient() -> None:
    found = cross_entropy(*example(), 0.1)
    assert [part.requires_grad for part in found] == [True, False, False]


def test_a_tie_is_no_hit() -> None:
    assert cross_entropy(torch.zeros(4, 5), torch.zeros(4, dtype=torch.long)).correct == 0


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_halves_are_summed_in_fp32(dtype: torch.dtype) -> None:
    logits, wanted = example()
    half = logits.detach().to(dtype).requires_grad_()
    found = cross_entropy(half, wanted, 0.1)
    assert found.total.dtype == torch.float32
    whole = cross_entropy(half.detach().float().requires_grad_(), wanted, 0.1)
    torch.testing.assert_close(found.total, whole.total)
    scale = 2.0**10  # of fp16's scaler
    (gradient,) = torch.autograd.grad(scale * found.total, half)
    (exact,) = torch.autograd.grad(
        scale * F.cross_entropy(half.float(), wanted, reduction="sum", label_smoothing=0.1), half
    )
    assert gradient.dtype == dtype
    torch.testing.assert_close(gradient, exact)


def test_small_gradients_survive_fp16() -> None:
    """A probability of 2^-24 / 16 is none in fp16, until it is scaled."""
    logits = torch.tensor([[0.0, -19.4]], dtype=torch.float16, requires_grad=True)
    total = cross_entropy(logits, torch.tensor([0])).total
    (gradient,) = torch.autograd.grad(total * 2.0**16, logits)
    assert gradient[0, 1] > 0


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_what_is_not_finite_stays_so(bad: float) -> None:
    logits, wanted = example()
    with torch.no_grad():
        logits[4, 2] = bad
    assert not cross_entropy(logits, wanted, 0.1).total.isfinite()
