"""What CTC says of the next token: prefix scores, for a search that a decoder and CTC share."""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from seqloom.batch import Memory
from seqloom.nn.ctc import Ctc
from seqloom.search.scorer import Scorer

LEAST: Final = torch.finfo(torch.float32).tiny
"""The least probability of a token at a position: only the memory's length makes anything impossible."""


class CtcState(NamedTuple):
    """The alignments of what a hypothesis has read, by the position that they have come to.

    Attributes:
        ends: [B, K, 2, S + 1] float64; after s positions, the log-probability of having said the whole
            prefix and nothing else, and the part of it with a blank at the end. Given that the labelling
            begins with this prefix, so that long hypotheses are numbers like short ones.
        last: [B, K] int64, the prefix's last token; None before the first call.
    """

    ends: Tensor
    last: Tensor | None


class CtcScorer(Scorer[Tensor, CtcState]):
    """CTC as a voice in a search that writes token by token.

    A prefix's probability is that of all labellings that begin with it (Graves 2008, section 7.5), and
    a token's score the log of what it leaves of that; EOS leaves the labelling that is the prefix itself
    (Watanabe et al. 2017, section III-C). A labelling's token scores add up to its log-probability.

    The recurrences over positions of their algorithm 2 are linear, and are computed as cumulative sums.

    Args:
        ctc: Says what each position is.
        eos: The token that ends a hypothesis.
    """

    is_partial = True

    def __init__(self, ctc: Ctc, eos: int) -> None:
        self.ctc = ctc
        self.eos = eos

    def prepare(self, memory: Memory) -> Tensor:
        """Probabilities [B, V + 1, S], the blank last; past the end there are blanks, for certain."""
        return self.context(self.ctc(memory), memory.mask())

    def context(self, log_probs: Tensor, mask: Tensor) -> Tensor:
        """What :meth:`prepare` gives, of log-probabilities [B, S, V + 1] and the memory's mask [B, S]."""
        said = log_probs.exp().clamp_(min=LEAST)
        over = F.one_hot(torch.tensor(self.ctc.blank, device=said.device), said.shape[-1]).to(said.dtype)
        return said.where(mask[..., None], over).transpose(1, 2).contiguous()

    def start(self, context: Tensor, hypotheses: int) -> CtcState:
        blank = F.pad(context[:, self.ctc.blank].double().log().cumsum(-1), (1, 0))  # [B, S + 1]
        return CtcState(torch.stack([blank, blank], 1)[:, None].expand(-1, hypotheses, -1, -1), None)

    def score(
        self, context: Tensor, state: CtcState, token: Tensor, candidates: Tensor | None = None
    ) -> tuple[Tensor, CtcState]:
        ends = state.ends if state.last is None else self._extended(context, state.ends, state.last, token)
        if candidates is None:
            candidates = torch.arange(self.ctc.blank, device=token.device).expand(*token.shape, -1)
        whole, blank = ends.unbind(2)  # [B, K, S + 1]
        scores = _first_said(_rows(context, candidates), whole)
        again = _first_said(_rows(context, token[..., None]), blank)  # a blank parts equal tokens
        scores = scores.where(candidates != token[..., None], again)
        scores = scores.where(candidates != self.eos, whole[..., -1:])
        return scores.clamp(max=0).float(), CtcState(ends, token)  # rounding makes nothing more than sure

    def _extended(self, context: Tensor, ends: Tensor, last: Tensor, token: Tensor) -> Tensor:
        """The alignments of prefixes [B, K] that have become longer by a token."""
        whole, blank = ends[..., :-1].unbind(2)  # [B, K, S]
        ready = blank.where((token == last)[..., None], whole)
        said = _rows(context, token).double().log()  # [B, K, S]
        over = said.isneginf()
        label = _summed(ready, said.masked_fill(over, 0)).masked_fill(over, -torch.inf)
        silent = context[:, None, self.ctc.blank].double().log()
        blank = _summed(F.pad(label, (1, -1), value=-torch.inf), silent.expand_as(label))
        ends = torch.stack([torch.logaddexp(label, blank), blank], 2)
        prefix = (ready + said).logsumexp(-1)  # [B, K]
        return F.pad(ends - _finite(prefix)[..., None, None], (1, 0), value=-torch.inf)


def _rows(context: Tensor, tokens: Tensor) -> Tensor:
    """The probabilities [B, .., S] of tokens [B, ..] at each position."""
    size, classes, positions = context.shape
    first = torch.arange(0, size * classes, classes, device=tokens.device)[:, None]
    rows = context.flatten(0, 1).index_select(0, (tokens.flatten(1) + first).flatten())
    return rows.view(*tokens.shape, positions)


def _first_said(said: Tensor, ready: Tensor) -> Tensor:
    """Log-probabilities [B, K, C] of tokens to come next, wherever that may be.

    Args:
        said: [B, K, C, S], the tokens' probabilities at each position.
        ready: [B, K, S + 1], log-probabilities of the alignments that they may follow.
    """
    ready = ready[..., :-1]
    top = _finite(ready.amax(-1, keepdim=True))
    return (said * (ready - top).exp()[:, :, None]).sum(-1).log() + top


def _finite(log_probs: Tensor) -> Tensor:
    """Something to subtract: 0 for what is impossible."""
    return log_probs.masked_fill(log_probs.isneginf(), 0)


def _summed(entering: Tensor, factors: Tensor) -> Tensor:
    """The a of a[s] = (a[s - 1] + entering[s]) * factor[s], all as logarithms [.., S] in float64."""
    total = factors.cumsum(-1)
    return total + (entering - total + factors).logcumsumexp(-1)
