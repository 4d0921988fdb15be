"""The best outputs by CTC alone: a best path, or a beam of prefixes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final, NamedTuple

import torch
from torch import Tensor

from seqloom.batch import Hypothesis, Memory
from seqloom.config import DecodeConfig
from seqloom.nn.ctc import Ctc
from seqloom.search.ctc import CtcScorer
from seqloom.search.highest import highest
from seqloom.search.result import hypothesis
from seqloom.vocabulary import Vocabulary

CANDIDATES: Final = 16
"""Tokens that a position may add to prefixes: the best of the position."""
HASH_FACTOR: Final = 6364136223846793005
"""Of Knuth's linear congruential generator modulo 2**64 (MMIX)."""

Labelling = list[int]


def ctc_search(
    ctc: Ctc, memory: Memory, vocabulary: Vocabulary, options: DecodeConfig
) -> list[list[Hypothesis]]:
    """The most probable labellings that are found.

    With a beam of 1 that of the most probable alignment (Graves et al. 2006, section 3.2), else those of
    a prefix beam search (Hannun et al. 2014, algorithm 1), in which alignments that say the same join.
    Either way an output's score is its log-probability over all alignments. Of the options, beam and
    n-best count: the memory's length bounds a labelling's, and short ones are not favoured.

    Args:
        ctc: Says what each position is.
        memory: Of the sources.
        vocabulary: The target's; PAD, BOS and EOS are never said.
        options: How wide to search.

    Returns:
        For each source its outputs, best first: ``options.n_best``, or as many as there are.

    Raises:
        DivergedError: A score is not a finite number.
    """
    if not len(memory.lengths):
        return []
    with torch.inference_mode():
        scorer = CtcScorer(ctc, vocabulary.eos)
        context = scorer.prepare(memory)
        log_probs = context.double()
        log_probs[:, [vocabulary.pad, vocabulary.bos, vocabulary.eos]] = -torch.inf
        found = _best_path(log_probs) if options.beam == 1 else _best_prefixes(log_probs, options.beam)
        found = [outputs[: options.n_best] for outputs in found]
        scores = _token_scores(scorer, context, vocabulary, found)
    scored = [
        [hypothesis(*pair, alpha=0) for pair in zip(*both, strict=True)]
        for both in zip(found, scores, strict=True)
    ]
    return [sorted(outputs, key=lambda output: output.score, reverse=True) for outputs in scored]


def _token_scores(
    scorer: CtcScorer, context: Tensor, vocabulary: Vocabulary, found: Sequence[Sequence[Labelling]]
) -> list[list[list[float]]]:
    """The scores of each output's tokens, with that of EOS last."""
    width = max(map(len, found))
    longest = max(len(tokens) for outputs in found for tokens in outputs)
    wanted = torch.full((len(found), width, longest + 1), vocabulary.eos)
    for row, outputs in zip(wanted, found, strict=True):
        for place, tokens in zip(row, outputs, strict=False):
            place[: len(tokens)] = torch.tensor(tokens)
    wanted = wanted.to(context.device)
    state, token = scorer.start(context, width), torch.full_like(wanted[..., 0], vocabulary.bos)
    scores = []
    for following in wanted.unbind(2):
        score, state = scorer.score(context, state, token, following[..., None])
        scores.append(score)
        token = following
    rows = torch.cat(scores, 2).tolist()
    return [
        [row[: len(tokens) + 1] for row, tokens in zip(several, outputs, strict=False)]
        for several, outputs in zip(rows, found, strict=True)
    ]


# Searches: log-probabilities [B, V + 1, S], the blank last and certain past the end, to labellings ------


def _best_path(log_probs: Tensor) -> list[list[Labelling]]:
    blank = log_probs.shape[1] - 1
    paths = log_probs.argmax(1).tolist()
    return [[[token for token, _ in groupby(path) if token != blank]] for path in paths]


class _Prefixes(NamedTuple):
    """The prefixes of a beam, best first, each [B, K]; alignments are those of the positions so far."""

    label: Tensor  # float64, log-probability of the alignments that end in the last token
    blank: Tensor  # float64, of those that end in a blank
    last: Tensor  # int64, the last token; the blank where there is none
    code: Tensor  # int64, stands for all tokens

    def followed_by(self, tokens: Tensor) -> Tensor:
        """Log-probability [B, K, N] of the alignments that tokens [B, N] may follow at once."""
        either = torch.logaddexp(self.label, self.blank)
        repeats = self.last[:, :, None] == tokens[:, None]  # these have a blank between them
        return self.blank[:, :, None].where(repeats, either[:, :, None])


class _Growth(NamedTuple):
    """Where the prefixes of a position come from, each [B, K]."""

    parents: Tensor  # int64 slots of the position before
    tokens: Tensor  # int64, what was added; the blank for nothing


def _best_prefixes(log_probs: Tensor, width: int) -> list[list[Labelling]]:
    nothing = log_probs.new_zeros(len(log_probs), 1)
    silent = log_probs.shape[1] - 1
    last = torch.full_like(nothing, silent, dtype=torch.int64)
    prefixes = _Prefixes(torch.full_like(nothing, -torch.inf), nothing, last, torch.zeros_like(last))
    history = []
    for position in log_probs.unbind(2):
        prefixes, growth = _advance(prefixes, position, width)
        history.append(growth)
    counts = torch.logaddexp(prefixes.label, prefixes.blank).isneginf().logical_not().sum(1).tolist()
    steps = [(growth.parents.tolist(), growth.tokens.tolist()) for growth in history]
    return [
        [_read_back(steps, source, slot, silent) for slot in range(count)]
        for source, count in enumerate(counts)
    ]


def _advance(prefixes: _Prefixes, position: Tensor, width: int) -> tuple[_Prefixes, _Growth]:
    """One position [B, V + 1] further: prefixes stay as they are, or grow by a token."""
    said, tokens = highest(position[:, :-1], min(CANDIDATES, position.shape[1] - 1))  # [B, C]
    joins = _code(prefixes.code[:, :, None], prefixes.last[:, None]) == prefixes.code[:, None]
    kept = _kept(prefixes, position, joins)
    new = prefixes.followed_by(tokens) + said[:, None]  # [B, K, C]
    known = joins[..., None] & (prefixes.last[..., None] == tokens[:, None])[:, None]  # [B, K, K, C]
    new = new.masked_fill(known.any(2), -torch.inf).flatten(1)
    best, order = torch.cat([torch.logaddexp(*kept[:2]), new], 1).sort(descending=True, stable=True)
    best, order = best[:, :width], order[:, :width]
    before, choices = prefixes.last.shape[1], tokens.shape[1]
    stays, order = order < before, order - before
    growth = _Growth((order + before).where(stays, order // choices), tokens.gather(1, order % choices))
    label, blank, last, code = (part.gather(1, growth.parents) for part in kept)
    grown = _Prefixes(
        label.where(stays, best),
        blank.where(stays, -torch.inf),
        last.where(stays, growth.tokens),
        code.where(stays, _code(code, growth.tokens)).masked_fill(best.isneginf(), -1),
    )
    return grown, growth._replace(tokens=growth.tokens.masked_fill(stays, position.shape[1] - 1))


def _kept(prefixes: _Prefixes, position: Tensor, joins: Tensor) -> _Prefixes:
    """Prefixes that stay as they are, and are joined by those that grow into them.

    Args:
        prefixes: Those before the position.
        position: [B, V + 1].
        joins: [B, K, K] bool, whether the first with the last token of the second is the second.
    """
    joining = prefixes.followed_by(prefixes.last).masked_fill(~joins, -torch.inf)
    label = position.gather(1, prefixes.last) + torch.logaddexp(prefixes.label, joining.amax(1))
    blank = position[:, -1:] + torch.logaddexp(prefixes.label, prefixes.blank)
    return prefixes._replace(label=label, blank=blank)


def _code(code: Tensor, token: Tensor) -> Tensor:
    """A prefix's code once a token is added. Two prefixes share one by a chance of 1 in 2**64."""
    return code * HASH_FACTOR + token + 1


def _read_back(
    steps: Sequence[tuple[list[list[int]], list[list[int]]]], source: int, slot: int, silent: int
) -> Labelling:
    """The tokens of a source's prefix in a slot of the last step."""
    tokens = []
    for parents, added in reversed(steps):
        if added[source][slot] != silent:
            tokens.append(added[source][slot])
        slot = parents[source][slot]
    return tokens[::-1]
