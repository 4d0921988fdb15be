"""The members of a search as one: they read the same tokens, and their scores add up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from seqloom.batch import tree_map
from seqloom.nn.decoder import select
from seqloom.search.highest import highest
from seqloom.search.scorer import Member
from seqloom.vocabulary import Vocabulary

COMPACT_BELOW = 0.9
"""Share of the batch still open at which dropping the rest pays for copying contexts and states."""
CANDIDATES = 16
"""Tokens of a hypothesis that partial scorers are asked about; twice the beam where that is more."""


class Ensemble:
    """Scorers that walk together, one hypothesis a source at first.

    Where some of them are partial, those are asked about the tokens that the others together find best,
    and about EOS; no other token goes on.

    Args:
        members: At least one, each with its own memory of the same B sources.
        vocabulary: The target's, the same for all.
        beam: How many hypotheses of a source will go on.
        min_length: Tokens before EOS at least, but where EOS must come.
    """

    def __init__(
        self, members: Sequence[Member], vocabulary: Vocabulary, beam: int, min_length: int = 0
    ) -> None:
        members = sorted(members, key=lambda member: member.scorer.is_partial)
        self._voices = [(member.scorer, member.weight) for member in members]
        self._contexts = [member.scorer.prepare(member.memory) for member in members]
        self._states = [
            scorer.start(context, 1)
            for (scorer, _), context in zip(self._voices, self._contexts, strict=True)
        ]
        self._eos, self._beam = vocabulary.eos, beam
        self._too_early = min_length  # calls of `score` that EOS may not follow
        self.device = members[0].memory.values.device
        never = [vocabulary.pad, vocabulary.bos, vocabulary.eos]
        self._no_continuation = torch.tensor(never, device=self.device)

    def score(self, token: Tensor, last: list[int]) -> tuple[Tensor, Tensor]:
        """Weighted sums of log-probabilities (nats) of what follows ``token`` [B, K] int64.

        Args:
            token: What was just chosen.
            last: The sources (rows) whose next token must be EOS.

        Returns:
            [B, K, V] of tokens that go on, -inf for PAD, BOS and EOS; and [B, K] of EOS, -inf while an
            output would be too short.
        """
        total = self._summed(token)
        eos = total[:, :, self._eos].clone()
        if self._too_early:
            self._too_early -= 1
            kept = eos[last]
            eos.fill_(-math.inf)
            eos[last] = kept
        total.index_fill_(-1, self._no_continuation, -math.inf)
        if last:
            total[last] = -math.inf
        return total, eos

    def _summed(self, token: Tensor) -> Tensor:
        total: Any = None
        candidates: Tensor | None = None
        for i, (scorer, weight) in enumerate(self._voices):
            if scorer.is_partial and total is not None and candidates is None:
                total, candidates = self._narrowed(total)
            scores, self._states[i] = scorer.score(self._contexts[i], self._states[i], token, candidates)
            if total is None:
                total = scores if weight == 1 else scores * weight
            elif candidates is None:
                total.add_(scores, alpha=weight)
            else:
                total.scatter_add_(-1, candidates, scores * weight)
        return total  # type: ignore[no-any-return]

    def _narrowed(self, total: Tensor) -> tuple[Tensor, Tensor | None]:
        """Scores [B, K, V] with -inf for all but the candidates, and these [B, K, C]; None for all."""
        count = max(CANDIDATES, 2 * self._beam)
        if count >= total.shape[-1]:
            return total, None
        wanted = total.index_fill(-1, self._no_continuation, -math.inf)
        wanted[..., self._eos] = math.inf
        candidates = highest(wanted, count)[1]
        narrowed = torch.full_like(total, -math.inf)
        return narrowed.scatter_(-1, candidates, total.gather(-1, candidates)), candidates

    def select(self, hypotheses: Tensor, sources: Tensor | None) -> None:
        """Goes on with these hypotheses.

        Args:
            hypotheses: [B', K'] int64, positions in the flattened [B * K] of now.
            sources: [B'] int64, rows of now; None where all go on.
        """
        self._states = [select(state, hypotheses, sources) for state in self._states]
        if sources is not None:
            self._contexts = [tree_map(lambda part: part[sources], context) for context in self._contexts]


def last_rows(sources: list[int], limits: list[int], step: int) -> list[int]:
    """The rows of ``sources`` that ``step``, counted from 1, must end."""
    return [row for row, source in enumerate(sources) if limits[source] == step]
