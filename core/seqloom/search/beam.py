"""Beam search over a batch of sources."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from seqloom.batch import Hypothesis, tree_map
from seqloom.config import DecodeConfig
from seqloom.search.ensemble import COMPACT_BELOW, Ensemble, last_rows
from seqloom.search.highest import highest
from seqloom.search.result import hypothesis, length_limits, length_penalty, not_finite
from seqloom.search.scorer import Member
from seqloom.vocabulary import Vocabulary


def beam_search(
    members: Sequence[Member], vocabulary: Vocabulary, options: DecodeConfig
) -> list[list[Hypothesis]]:
    """The best outputs that a beam of K = ``options.beam`` hypotheses meets.

    A step extends each hypothesis by each token. Of these candidates the best K that do not end go on;
    those that end are outputs where they are among the best K of all. A source is done

    - when it has K outputs (as in Sutskever et al. 2014, section 3.2), or
    - when none of its hypotheses could still become one of the ``n_best`` outputs, even if all its
      further tokens were certain and it got as long as it may. Log-probabilities are never positive (nor
      weights of members negative), so this saves steps and changes no output.

    With a beam as wide as there are outputs this is exhaustive search; with a width of 1, greedy search.
    Ties go to EOS, then to the better hypothesis, then to the lower token id (of more equal tokens than
    fit the beam, :func:`highest` chooses which stay, by the scores of their hypothesis alone).

    Args:
        members: At least one, each with its own memory of the same sources.
        vocabulary: The target's, the same for all members.
        options: Beam, n-best, length penalty and limits, upper and lower, count here.

    Returns:
        For each source its outputs, best first: ``options.n_best``, or as many as there are.

    Raises:
        DivergedError: A source has no output with a finite score.
    """
    limits = length_limits(members, options)
    if not limits:
        return []
    with torch.inference_mode():
        ensemble = Ensemble(members, vocabulary, options.beam, options.min_length)
        search = _Search(ensemble, vocabulary, limits, options)
        while search.going:
            search.advance()
        return search.outputs()


class _Extended(NamedTuple):
    """The hypotheses of a step, best first, each [B, K]."""

    totals: Tensor  # float64 sums of log-probabilities, -inf where there is no hypothesis
    parents: Tensor  # int64 slots of the step before
    tokens: Tensor  # int64
    log_probs: Tensor  # of the tokens


class _Found(NamedTuple):
    """The outputs found so far, best first, each [B, K]."""

    scores: Tensor  # float64, -inf where there is none
    places: Tensor  # int64: steps before EOS, times K, plus the slot that EOS was added to; else -1


class _Written(NamedTuple):
    """What a step leaves for reading outputs back."""

    sources: list[int]
    extended: _Extended
    eos: Tensor  # [B, K before], log-probability of ending a hypothesis instead


class _Search:
    """A search under way; B of its tensors are the sources not dropped yet.

    Sums are float64: rounding makes no ties, and a batch's layout no difference.
    """

    def __init__(
        self, ensemble: Ensemble, vocabulary: Vocabulary, limits: list[int], options: DecodeConfig
    ) -> None:
        self.ensemble, self.limits, self.options = ensemble, limits, options
        self.going = True
        self.sources = list(range(len(limits)))
        self.written: list[_Written] = []
        self.dropped: list[tuple[list[int], Tensor]] = []  # sources and their places when some were dropped
        size, device = len(limits), ensemble.device
        self.tokens = torch.full((size, 1), vocabulary.bos, device=device)
        self.totals = torch.zeros(size, 1, dtype=torch.float64, device=device)
        longest = [length_penalty(limit, options.length_penalty) for limit in limits]
        self.longest = torch.tensor(longest, dtype=torch.float64, device=device)  # [B] penalties
        scores = torch.full((size, options.beam), -math.inf, dtype=torch.float64, device=device)
        self.found = _Found(scores, torch.full_like(scores, -1, dtype=torch.int64))

    def advance(self) -> None:
        """Writes one token."""
        last = last_rows(self.sources, self.limits, len(self.written) + 1)
        scores, eos = self.ensemble.score(self.tokens, last)
        extended = _extend(self.totals, scores, self.options.beam)
        self._find(self.totals + eos, extended.totals)
        self.written.append(_Written(self.sources, extended, eos))
        could_be = extended.totals[:, 0] / self.longest
        still_open = could_be > self.found.scores[:, self.options.n_best - 1]  # false for NaN
        self._go_on(extended, still_open & self.found.scores[:, -1].isneginf())

    def _find(self, ended: Tensor, extended: Tensor) -> None:
        """Keeps the best K outputs of old and new, given the totals [B, K] of those that end or go on."""
        beam, before = self.options.beam, len(self.written)
        candidates = torch.cat([extended, ended], 1)
        worst = candidates.topk(min(beam, candidates.shape[1])).values[:, -1:]
        scores = ended / length_penalty(before + 1, self.options.length_penalty)
        scores = scores.where(ended >= worst, -math.inf)
        places = torch.arange(ended.shape[1], device=ended.device) + before * beam
        scores, order = torch.cat([self.found.scores, scores], 1).sort(descending=True, stable=True)
        places = torch.cat([self.found.places, places.expand_as(ended)], 1).gather(1, order[:, :beam])
        self.found = _Found(scores[:, :beam], places)

    def _go_on(self, extended: _Extended, still_open: Tensor) -> None:
        """Moves states to where their hypotheses are, and drops sources once that pays."""
        before, width = self.totals.shape[1], extended.totals.shape[1]
        self.tokens = extended.tokens
        self.totals = extended.totals.masked_fill(~still_open[:, None], -math.inf)
        moved = (extended.parents != torch.arange(width, device=still_open.device)).any(1)
        goes_on, moves = torch.stack([still_open, moved]).tolist()  # the one wait for a GPU in a step
        rows = [row for row, goes in enumerate(goes_on) if goes]
        self.going = bool(rows)
        first = torch.arange(len(goes_on), device=still_open.device)[:, None] * before
        if self.going and len(rows) <= COMPACT_BELOW * len(goes_on):
            self._keep(rows, first + extended.parents)
        elif self.going and (width != before or any(moves[row] for row in rows)):
            self.ensemble.select(first + extended.parents, None)

    def _keep(self, rows: list[int], hypotheses: Tensor) -> None:
        kept = torch.tensor(rows, device=hypotheses.device)
        self.ensemble.select(hypotheses[kept], kept)
        self.dropped.append((self.sources, self.found.places))
        self.sources = [self.sources[row] for row in rows]
        mine = (self.tokens, self.totals, self.longest, self.found)
        self.tokens, self.totals, self.longest, self.found = tree_map(lambda t: t[kept], mine)

    def outputs(self) -> list[list[Hypothesis]]:
        """For each source its best outputs."""
        places: dict[int, list[int]] = {}
        for sources, found in [*self.dropped, (self.sources, self.found.places)]:
            places.update(zip(sources, found.tolist(), strict=True))  # the last word counts
        paths = self._paths()
        return [self._best(paths[source], places[source]) for source in range(len(self.limits))]

    def _paths(self) -> list[list[_Columns]]:
        """For each source what its steps wrote."""
        paths: list[list[_Columns]] = [[] for _ in self.limits]
        for sources, (_, *extended), eos in self.written:
            columns = [part.tolist() for part in (*extended, eos)]
            for source, *column in zip(sources, *columns, strict=True):
                paths[source].append(_Columns(*column))
        return paths

    def _best(self, path: list[_Columns], places: list[int]) -> list[Hypothesis]:
        options = self.options
        found = [divmod(place, options.beam) for place in places[: options.n_best] if place >= 0]
        if not found:
            raise not_finite()
        outputs = [hypothesis(*_read_back(path, *place), options.length_penalty) for place in found]
        return sorted(outputs, key=lambda output: output.score, reverse=True)


class _Columns(NamedTuple):
    """One source's part of a step, by slot."""

    parents: list[int]
    tokens: list[int]
    log_probs: list[float]
    eos: list[float]


def _extend(totals: Tensor, log_probs: Tensor, width: int) -> _Extended:
    """The best ``width`` of hypotheses' totals [B, K] with log-probabilities [B, K, V] of next tokens."""
    best, ids = highest(log_probs, min(width, log_probs.shape[-1]))
    ids, order = ids.sort()  # by id, then stably by total: so are ties settled
    best = best.gather(-1, order)
    totals, order = (totals[:, :, None] + best).flatten(1).sort(descending=True, stable=True)
    order = order[:, :width]
    tokens, log_probs = (part.flatten(1).gather(1, order) for part in (ids, best))
    return _Extended(totals[:, :width], order // ids.shape[-1], tokens, log_probs)


def _read_back(path: list[_Columns], before: int, slot: int) -> tuple[list[int], list[float]]:
    """Tokens and their log-probabilities (EOS's too) of what ended after ``before`` tokens in ``slot``."""
    tokens, log_probs = [], [path[before].eos[slot]]
    for columns in reversed(path[:before]):
        tokens.append(columns.tokens[slot])
        log_probs.append(columns.log_probs[slot])
        slot = columns.parents[slot]
    return tokens[::-1], log_probs[::-1]
