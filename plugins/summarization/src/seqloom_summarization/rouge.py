"""How good is a summary? ROUGE, by rouge-score."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from importlib.metadata import version
from typing import Final, final

from nltk.stem.porter import PorterStemmer
from rouge_score.rouge_scorer import RougeScorer
from rouge_score.tokenizers import DefaultTokenizer, Tokenizer

from seqloom.metrics import Metric
from seqloom.metrics.base import some

SHORTEST_STEMMED: Final = 4
"""Letters: rouge-score leaves shorter words as they are."""


@final
class Rouge(Metric):
    """ROUGE (Lin 2004) as rouge-score computes it: the mean over texts of F, in percent.

    Of several references that with the best F counts, as in rouge-score's ``score_multi``.

    Args:
        kind: ``rouge1``, ``rouge2`` or ``rougeL``; this one is of whole texts, not sentence by sentence.
        stem: Whether words are stemmed (Porter 1980), as ROUGE-1.5.5 does with ``-m``.
        unicode: Whether words are of letters and digits of any script, not of a to z and 0 to 9 alone.
    """

    def __init__(self, kind: str, *, stem: bool = True, unicode: bool = False) -> None:
        self._kind = kind
        self._stem = stem
        self._unicode = unicode
        tokenizer = AnyScript(stem) if unicode else DefaultTokenizer(stem)
        self._scorer = RougeScorer([kind], tokenizer=tokenizer)

    def count(self, hypothesis: str, references: Sequence[str]) -> float:
        return float(self._scorer.score_multi(some(references), hypothesis)[self._kind].fmeasure)

    def value(self, counts: Sequence[float]) -> float:
        return 100 * math.fsum(some(counts)) / len(counts)

    def signature(self) -> str:
        words = "unicode" if self._unicode else "a-z0-9"
        stem = "porter" if self._stem else "none"
        name = self._kind.removeprefix("rouge")
        return f"type:{name}|f:1|refs:best|stem:{stem}|words:{words}|rouge-score:{version('rouge-score')}"


class AnyScript(Tokenizer):  # type: ignore[misc]  # rouge-score has no types
    """Words in lower case of letters and digits of any script.

    Args:
        stem: Whether to stem them.
    """

    def __init__(self, stem: bool) -> None:
        self._stemmer = PorterStemmer() if stem else None

    def tokenize(self, text: str) -> list[str]:
        """The words of a text."""
        words: list[str] = re.findall(r"[^\W_]+", text.lower())
        if self._stemmer is None:
            return words
        return [self._stemmer.stem(word) if len(word) >= SHORTEST_STEMMED else word for word in words]
