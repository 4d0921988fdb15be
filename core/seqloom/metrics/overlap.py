"""How many n-grams do a hypothesis and its references share? BLEU and chrF, by sacrebleu."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

from sacrebleu.metrics.base import Metric as SacrebleuMetric
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from seqloom.metrics.base import Metric, some


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


_ONE_REFERENCE = [["-"]]
"""Makes sacrebleu sign for one reference an example until it has scored others."""


def _corpus_score(scorer: SacrebleuMetric, counts: Sequence[tuple[str, list[str]]]) -> float:
    hypotheses = [hypothesis for hypothesis, _ in some(counts)]
    most = max(len(some(references)) for _, references in counts)
    streams: list[Any] = [  # of one length each: None, which sacrebleu's types deny, stands for no more
        [references[n] if n < len(references) else None for _, references in counts] for n in range(most)
    ]
    return float(scorer.corpus_score(hypotheses, streams).score)
