"""Greedy search: the best next token, again and again."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from seqloom.batch import Hypothesis
from seqloom.config import DecodeConfig
from seqloom.search.ensemble import COMPACT_BELOW, Ensemble, last_rows
from seqloom.search.result import hypothesis, length_limits
from seqloom.search.scorer import Member
from seqloom.vocabulary import Vocabulary


def greedy_search(
    members: Sequence[Member], vocabulary: Vocabulary, options: DecodeConfig
) -> list[list[Hypothesis]]:
    """One output for each source: what a beam of width 1 finds, with less work.

    Ties go to EOS, then to the lower token id.

    Args:
        members: At least one, each with its own memory of the same sources.
        vocabulary: The target's, the same for all members.
        options: Its length penalty and its limits, upper and lower, count here.

    Returns:
        For each source a list of one.

    Raises:
        DivergedError: An output's score is not a finite number.
    """
    limits = length_limits(members, options)
    if not limits:
        return []
    with torch.inference_mode():
        written, scores = _write(Ensemble(members, vocabulary, 1, options.min_length), vocabulary, limits)
    alpha = options.length_penalty
    return [[hypothesis(w[:-1], s, alpha)] for w, s in zip(written, scores, strict=True)]


def _write(
    ensemble: Ensemble, vocabulary: Vocabulary, limits: list[int]
) -> tuple[list[list[int]], list[list[float]]]:
    """Each source's tokens, EOS last, and their log-probabilities."""
    written: list[list[int]] = [[] for _ in limits]
    trace: list[tuple[list[int], Tensor]] = []  # of each step its sources and the log-probabilities [B, 1]
    ended: set[int] = set()
    sources = rows = list(range(len(limits)))
    token = torch.full((len(limits), 1), vocabulary.bos, device=ensemble.device)
    while rows:
        scores, eos = ensemble.score(token, last_rows(sources, limits, len(trace) + 1))
        best, token = scores.max(-1)
        token = token.where(best > eos, vocabulary.eos)
        trace.append((sources, torch.maximum(best, eos)))
        for source, (chosen,) in zip(sources, token.tolist(), strict=True):
            if source not in ended:
                written[source].append(chosen)
                if chosen == vocabulary.eos:
                    ended.add(source)
        rows = [row for row, source in enumerate(sources) if source not in ended]
        if rows and len(rows) <= COMPACT_BELOW * len(sources):
            kept = torch.tensor(rows, device=token.device)
            ensemble.select(kept[:, None], kept)
            token, sources = token[kept], [sources[row] for row in rows]
    return written, _scores_of(written, trace)


def _scores_of(written: list[list[int]], trace: list[tuple[list[int], Tensor]]) -> list[list[float]]:
    scores: list[list[float]] = [[] for _ in written]
    for step, (sources, log_probs) in enumerate(trace):
        for source, (log_prob,) in zip(sources, log_probs.tolist(), strict=True):
            if step < len(written[source]):
                scores[source].append(log_prob)
    return scores
