"""How much must be changed to make a reference of a hypothesis? Error rates, and exact matches.

White space counts as one blank wherever it stands between words, and for nothing at the ends.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import final

import rapidfuzz
from rapidfuzz.distance import Levenshtein

from seqloom.errors import DataError
from seqloom.metrics.base import Metric, some
from seqloom.tokenizer.base import NormalForm, normalize


class _TextMetric(Metric, ABC):
    """A score of texts in one form, whose counts are sums.

    Args:
        lowercase: Whether case counts for nothing.
        normalization: Unicode normal form that both texts are brought to.
    """

    def __init__(self, lowercase: bool = False, normalization: NormalForm = "nfc") -> None:
        self._lowercase = lowercase
        self._normalization = normalization

    def _normalized(self, text: str) -> str:
        text = " ".join(normalize(text, self._normalization).split())
        return text.lower() if self._lowercase else text

    def signature(self) -> str:
        case = "lc" if self._lowercase else "mixed"
        return f"case:{case}|unicode:{self._normalization}|space:single"


class _ErrorRate(_TextMetric, ABC):
    """Edits (Levenshtein 1966) of a hundred units of the references.

    Substitutions, deletions and insertions cost one each, as in jiwer. The rate is that of all examples
    together, their edits over their references' length, and may be more than 100. Of several references
    the closest counts: that with the fewest edits, of equals the longest.
    """

    @abstractmethod
    def _units(self, text: str) -> Sequence[str]:
        """What is counted of a normalised text."""

    def count(self, hypothesis: str, references: Sequence[str]) -> tuple[int, int]:
        """Edits, and the length of the reference that they lead to."""
        said = self._units(self._normalized(hypothesis))
        wanted = [self._units(self._normalized(reference)) for reference in some(references)]
        edits, length = min((Levenshtein.distance(units, said), -len(units)) for units in wanted)
        return edits, -length

    def value(self, counts: Sequence[tuple[int, int]]) -> float:
        length = sum(length for _, length in counts)
        if not length:
            raise DataError("an error rate needs references that are not all empty")
        return 100 * sum(edits for edits, _ in counts) / length

    def signature(self) -> str:
        return f"refs:closest|{super().signature()}|rapidfuzz:{rapidfuzz.__version__}"


@final
class Cer(_ErrorRate):
    """Character error rate in percent; blanks between words are characters."""

    def _units(self, text: str) -> Sequence[str]:
        return text


@final
class Wer(_ErrorRate):
    """Word error rate in percent, of words between white space."""

    def _units(self, text: str) -> Sequence[str]:
        return text.split()


@final
class Exact(_TextMetric):
    """Percentage of hypotheses that equal one of their references."""

    def count(self, hypothesis: str, references: Sequence[str]) -> int:
        said = self._normalized(hypothesis)
        return int(any(said == self._normalized(reference) for reference in some(references)))

    def value(self, counts: Sequence[int]) -> float:
        return 100 * sum(counts) / len(some(counts))
