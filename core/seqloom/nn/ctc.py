"""Connectionist temporal classification (Graves et al. 2006): a labelling, summed over its alignments.

Each position of a memory says a token or a blank. An alignment stands for the tokens that are left when
repeats are made one and blanks taken out; a labelling's probability is the sum of those of its alignments.
"""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from seqloom.batch import Memory, Padded


class CtcLoss(NamedTuple):
    """Sums over the examples of a batch.

    Attributes:
        total: [] negative log-likelihood (nats) of the labellings that can be aligned.
        unaligned: [] int64, labels of the examples that cannot, with one more for each example; they add
            nothing to ``total``. Takes no gradient.
    """

    total: Tensor
    unaligned: Tensor


class Ctc(nn.Module):
    """What each position of a memory says, as a class for each token and one more for the blank.

    Args:
        width: D of the memory's values.
        size: V of the tokens; the blank is class V.
    """

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.blank = size
        self.project = nn.Linear(width, size + 1)

    def forward(self, memory: Memory) -> Tensor:
        """Log-probabilities [B, S, V + 1] in fp32, anything on padding."""
        return self.project(memory.values).float().log_softmax(-1)  # type: ignore[no-any-return]

    def loss(self, memory: Memory, labels: Padded) -> CtcLoss:
        """The loss of labellings [B, U] int64, without EOS; they may be empty."""
        log_probs = self(memory).transpose(0, 1)
        losses = F.ctc_loss(
            log_probs,
            labels.values,
            memory.lengths,
            labels.lengths,
            blank=self.blank,
            reduction="none",
            zero_infinity=True,  # its gradient where there is no alignment would be NaN
        )
        is_unaligned = shortest_alignment(labels) > memory.lengths
        return CtcLoss(losses.sum(), (labels.lengths + 1)[is_unaligned].sum())


def shortest_alignment(labels: Padded) -> Tensor:
    """How many positions [B] int64 the labels [B, U] need: equal neighbours have a blank between them."""
    repeats = (labels.values[:, 1:] == labels.values[:, :-1]) & labels.mask()[:, 1:]
    return labels.lengths + repeats.sum(1)


def without_eos(target: Padded) -> Padded:
    """Targets [B, U] that end in EOS as labels for CTC, which needs no end."""
    return Padded(target.values[:, :-1], target.lengths - 1)
