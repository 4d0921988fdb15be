"""What CTC says of the next token: prefix scores, for a search that a decoder and CTC share."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from seqloom.batch import Memory
from seqloom.nn.ctc import Ctc
from seqloom.search.scorer import Scorer


class CtcState(NamedTuple):
    """The alignments of what a hypothesis has read, by the position that they have come to.

    Attributes:
        ends: [B, K, 2, S + 1] float64; after s positions, the log-probability of having said the whole
            prefix and nothing else, with a label at the end or with a blank. Given that the labelling
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
        """Log-probabilities [B, V + 1, S], the blank last; past the end there are blanks, for certain."""
        log_probs: Tensor = self.ctc(memory).transpose(1, 2)
        end = log_probs.new_full((log_probs.shape[1], 1), -torch.inf)
        end[self.ctc.blank] = 0
        return log_probs.where(memory.mask()[:, None], end).contiguous()

    def start(self, context: Tensor, hypotheses: int) -> CtcState:
        blank = F.pad(context[:, self.ctc.blank].double().cumsum(-1), (1, 0))  # [B, S + 1]
        ends = torch.stack([torch.full_like(blank, -torch.inf), blank], 1)
        return CtcState(ends[:, None].expand(-1, hypotheses, -1, -1), None)

    def score(
        self, context: Tensor, state: CtcState, token: Tensor, candidates: Tensor | None = None
    ) -> tuple[Tensor, CtcState]:
        ends = state.ends if state.last is None else self._extended(context, state.ends, state.last, token)
        if candidates is None:
            candidates = torch.arange(self.ctc.blank, device=token.device).expand(*token.shape, -1)
        _, blank = ends.unbind(2)
        either = ends.logsumexp(2)  # [B, K, S + 1]
        scores = _reached(either[:, :, None], _rows(context, candidates))
        again = _reached(blank, _rows(context, token))  # equal tokens have a blank between them
        scores = scores.where(candidates != token[..., None], again[..., None])
        scores = scores.where(candidates != self.eos, either[..., -1:].float())
        return scores.clamp(max=0), CtcState(ends, token)  # rounding makes no probability more than one

    def _extended(self, context: Tensor, ends: Tensor, last: Tensor, token: Tensor) -> Tensor:
        """The alignments of prefixes [B, K] that have become longer by a token."""
        _, blank = ends.unbind(2)
        ready = blank.where((token == last)[..., None], ends.logsumexp(2))[..., :-1]  # [B, K, S]
        said = _rows(context, token).double()  # [B, K, S]
        over = said.isneginf()
        label = _summed(ready, said.masked_fill(over, 0)).masked_fill(over, -torch.inf)
        silent = context[:, None, self.ctc.blank].double()
        blank = _summed(F.pad(label, (1, -1), value=-torch.inf), silent.expand_as(label))
        ends = F.pad(torch.stack([label, blank], 2), (1, 0), value=-torch.inf)
        prefix = (ready + said).logsumexp(-1)  # [B, K]
        return ends - prefix.masked_fill(prefix.isneginf(), 0)[..., None, None]


def _rows(context: Tensor, tokens: Tensor) -> Tensor:
    """The log-probabilities [B, .., S] of tokens [B, ..] at each position."""
    size, classes, positions = context.shape
    first = torch.arange(0, size * classes, classes, device=tokens.device)[:, None]
    rows = context.flatten(0, 1).index_select(0, (tokens.flatten(1) + first).flatten())
    return rows.view(*tokens.shape, positions)


def _reached(ready: Tensor, said: Tensor) -> Tensor:
    """Log-probability, summed over the position at which a token first is said.

    Args:
        ready: [.., S + 1], of alignments that a token may follow.
        said: [.., S], of the token.
    """
    return (ready[..., :-1].float() + said).logsumexp(-1)


def _summed(entering: Tensor, factors: Tensor) -> Tensor:
    """The a of a[s] = (a[s - 1] + entering[s]) * factor[s], all as logarithms [.., S] in float64."""
    total = factors.cumsum(-1)
    return total + (entering - total + factors).logcumsumexp(-1)
