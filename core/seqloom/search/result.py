"""What becomes of an output: how long it may get and how it is ranked."""

from __future__ import annotations

import math
from collections.abc import Sequence

from seqloom.batch import Hypothesis
from seqloom.config import DecodeConfig
from seqloom.errors import DivergedError
from seqloom.search.scorer import Member


def length_limits(members: Sequence[Member], options: DecodeConfig) -> list[int]:
    """Each source's longest output in tokens, EOS counted: what the options say and every member can do.

    It depends on the source alone, so that an output does not change with its neighbours.
    """
    longest = min((m.scorer.longest for m in members if m.scorer.longest is not None), default=None)
    limits = (
        int(options.max_length_factor * length) + options.max_length_offset
        for length in members[0].memory.lengths.tolist()
    )
    return [limit if longest is None else min(limit, longest) for limit in limits]


def length_penalty(length: int, alpha: float) -> float:
    """What a sum of log-probabilities of ``length`` tokens is divided by (Wu et al. 2016, equation 14)."""
    return float(((5 + length) / 6) ** alpha)


def hypothesis(tokens: Sequence[int], token_scores: Sequence[float], alpha: float) -> Hypothesis:
    """A finished output.

    Args:
        tokens: Without BOS and EOS.
        token_scores: Log-probability (nats) of each token and of EOS.
        alpha: Of :func:`length_penalty`.

    Raises:
        DivergedError: The score is not a finite number.
    """
    score = sum(token_scores) / length_penalty(len(token_scores), alpha)
    if not math.isfinite(score):
        raise not_finite()
    return Hypothesis(tokens=tuple(tokens), score=score, token_scores=tuple(token_scores))


def not_finite() -> DivergedError:
    """The error for a model whose scores are not numbers."""
    return DivergedError(
        "the model gives no output a finite score: its weights or its input hold NaN or infinity, "
        "or its computation overflows; try dtype fp32 or an earlier checkpoint"
    )
