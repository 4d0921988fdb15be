"""Scores of hypotheses against references, each with a signature that says how it was computed."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, final

from sacrebleu.metrics.base import Metric as SacrebleuMetric
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from seqloom.errors import DataError


class Metric(ABC):
    """A score over a whole data set."""

    @abstractmethod
    def count(self, hypothesis: str, references: Sequence[str]) -> Any:
        """What one example contributes; JSON-able or a tuple, so that ranks may exchange it."""

    @abstractmethod
    def value(self, counts: Sequence[Any]) -> float:
        """The score of all examples together, on the scale its field reports it on."""

    @abstractmethod
    def signature(self) -> str:
        """Everything that two scores must share to be compared."""


@final
class Bleu(Metric):
    """BLEU (Papineni et al. 2002) as sacrebleu computes it (Post 2018), from 0 to 100.

    Args:
        lowercase: Whether case counts for nothing.
        tokenize: sacrebleu's tokenization.
    """

    def __init__(self, lowercase: bool = False, tokenize: str = "13a") -> None:
        self._scorer = BLEU(
            lowercase=lowercase,
            tokenize=tokenize,
            force=True,  # no warning about full stops that are tokens of their own
            references=_ONE_REFERENCE,
        )

    def count(self, hypothesis: str, references: Sequence[str]) -> tuple[str, list[str]]:
        return hypothesis, list(references)

    def value(self, counts: Sequence[tuple[str, list[str]]]) -> float:
        return _corpus_score(self._scorer, counts)

    def signature(self) -> str:
        return str(self._scorer.get_signature())


@final
class Chrf(Metric):
    """chrF (Popović 2015) as sacrebleu computes it, from 0 to 100; chrF++ (Popović 2017) with words.

    Args:
        lowercase: Whether case counts for nothing.
        word_order: Longest word n-gram counted beside the characters' six.
    """

    def __init__(self, lowercase: bool = False, word_order: int = 0) -> None:
        self._scorer = CHRF(lowercase=lowercase, word_order=word_order, references=_ONE_REFERENCE)

    def count(self, hypothesis: str, references: Sequence[str]) -> tuple[str, list[str]]:
        return hypothesis, list(references)

    def value(self, counts: Sequence[tuple[str, list[str]]]) -> float:
        return _corpus_score(self._scorer, counts)

    def signature(self) -> str:
        return str(self._scorer.get_signature())


def perplexity(nll: float, tokens: int) -> float:
    """The exponential of the mean negative log-likelihood (nats) of a token; infinite past float64."""
    try:
        return math.exp(nll / tokens)
    except OverflowError:
        return math.inf


def accuracy(correct: int, tokens: int) -> float:
    """Percentage of tokens predicted right when the model has read the right ones before them."""
    return 100 * correct / tokens


_ONE_REFERENCE = [["-"]]
"""Makes sacrebleu sign for one reference an example until it has scored others."""


def _corpus_score(scorer: SacrebleuMetric, counts: Sequence[tuple[str, list[str]]]) -> float:
    if not counts or not all(references for _, references in counts):
        raise DataError("a score needs at least one hypothesis, and a reference for each")
    hypotheses = [hypothesis for hypothesis, _ in counts]
    most = max(len(references) for _, references in counts)
    streams: list[Any] = [  # of one length each: None, which sacrebleu's types deny, stands for no more
        [references[n] if n < len(references) else None for _, references in counts] for n in range(most)
    ]
    return float(scorer.corpus_score(hypotheses, streams).score)
