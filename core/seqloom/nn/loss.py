"""Label-smoothed cross-entropy whose gradient is made on the way forward, in pieces that a cache holds."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import torch
from torch import Tensor

CPU_PIECE: Final = 2**19
GPU_PIECE: Final = 2**26
"""Logits looked at together: few enough for a CPU's cache, and enough to keep a GPU busy."""


class CrossEntropy(NamedTuple):
    """Sums over all targets, [] each.

    Attributes:
        total: What is minimised, label smoothing counted.
        nll: Negative log-likelihood; takes no gradient.
        correct: How many targets have a logit above all others; takes no gradient.
    """

    total: Tensor
    nll: Tensor
    correct: Tensor


def cross_entropy(logits: Tensor, wanted: Tensor, smoothing: float = 0.0) -> CrossEntropy:
    """The cross-entropy of targets, a share of their probability spread over the vocabulary.

    Computed in fp32. What is kept for the way back is the gradient alone, in the logits' type: no
    probabilities, and no fp32 copy of bf16 logits (an idea of Hsu et al. 2024, arXiv 2410.10989).

    Args:
        logits: [N, V] of any floating type.
        wanted: [N] ids of the targets.
        smoothing: The share that is spread (Szegedy et al. 2016, section 7).
    """
    return CrossEntropy(*_CrossEntropy.apply(logits, wanted, smoothing))


class _CrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, wanted: Tensor, smoothing: float) -> tuple[Tensor, ...]:
        piece = CPU_PIECE if logits.device.type == "cpu" else GPU_PIECE
        rows = max(1, piece // logits.shape[1])
        # Before the scaler's factor, a gradient may lie below fp16's range.
        kept = torch.float32 if logits.dtype == torch.float16 else logits.dtype
        gradient = torch.empty_like(logits if ctx.needs_input_grad[0] else logits[:0], dtype=kept)
        sums = torch.zeros(3, device=logits.device)
        for start in range(0, len(logits), rows):
            part = slice(start, start + rows)
            sums += _add(logits[part].float(), wanted[part, None], smoothing, gradient[part])
        ctx.save_for_backward(gradient)
        ctx.dtype = logits.dtype
        nll, spread, correct = sums
        outputs = (1 - smoothing) * nll + smoothing * spread, nll.clone(), correct.long()
        ctx.mark_non_differentiable(*outputs[1:])
        return outputs

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return (gradient * slopes[0]).to(ctx.dtype), None, None


def _add(logits: Tensor, wanted: Tensor, smoothing: float, gradient: Tensor) -> Tensor:
    """Sums [3] over some targets of nll, of the uniform distribution's cross-entropy, and of hits.

    Args:
        logits: [n, V].
        wanted: [n, 1].
        smoothing: As above.
        gradient: [n, V] to be filled; [0, V] where none is asked for.
    """
    own = logits.gather(1, wanted)  # [n, 1]
    powers = logits.scatter(1, wanted, -torch.inf)
    others = powers.amax(1, keepdim=True)
    top = torch.maximum(own, others)
    powers.sub_(top).exp_()  # of all but the targets
    own_power = (own - top).exp()
    total = powers.sum(1, keepdim=True) + own_power
    norm = top + total.log()
    if len(gradient):
        even = smoothing / logits.shape[1]
        powers.mul_(1 / total).sub_(even)
        gradient.copy_(powers.scatter_(1, wanted, own_power / total - (1 - smoothing) - even))
    spread = norm - logits.mean(1, keepdim=True)
    return torch.stack([(norm - own).sum(), spread.sum(), (own > others).sum()])
