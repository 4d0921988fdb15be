"""How varied are replies? Different words, and pairs of words, of all that is said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, final

from seqloom.metrics import Metric
from seqloom.metrics.base import some

_WORD: Final = re.compile(r"\w+|[^\w\s]")


@final
class Distinct(Metric):
    """distinct-1 and distinct-2 (Li et al. 2016, arXiv 1510.03055, section 5.3), in percent.

    How many different words, or pairs of neighbouring words, there are in all hypotheses together, over
    the number of their words (that of words, not of pairs, for both). References do not matter. It falls
    as more is said: only hypotheses of the same inputs can be compared.

    Args:
        order: Words that are counted as one: 1, or 2 for pairs.
    """

    def __init__(self, order: int) -> None:
        self._order = order

    def count(self, hypothesis: str, references: Sequence[str]) -> list[str]:  # noqa: ARG002
        """The words of a hypothesis in lower case; each punctuation mark is one, too."""
        return _WORD.findall(hypothesis.lower())

    def value(self, counts: Sequence[Sequence[str]]) -> float:
        parts = self.parts(some(counts))
        return 100 * parts["different"] / parts["words"] if parts["words"] else 0.0

    def parts(self, counts: Sequence[Sequence[str]]) -> dict[str, int]:
        runs = {
            tuple(words[at : at + self._order])
            for words in counts
            for at in range(len(words) - self._order + 1)
        }
        return {"words": sum(map(len, counts)), "different": len(runs)}

    def signature(self) -> str:
        return "case:lc|tok:words and marks|per:words"
