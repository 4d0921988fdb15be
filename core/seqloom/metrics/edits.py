"""How much must be changed to make a reference of a hypothesis? Error rates, and exact matches.

White space counts as one blank wherever it stands between words, and for nothing at the ends.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from typing import ClassVar, NamedTuple, final

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


class Edits(NamedTuple):
    """What makes a hypothesis of a reference: how many units stay, and how many change in which way."""

    hits: int
    substitutions: int
    deletions: int
    insertions: int

    @classmethod
    def total(cls, several: Sequence[Sequence[int]]) -> Edits:
        """Those of all examples together, be they tuples or lists."""
        return cls(*map(sum, zip(*several, strict=True))) if several else cls(0, 0, 0, 0)

    @property
    def length(self) -> int:
        """Of the reference."""
        return self.hits + self.substitutions + self.deletions

    @property
    def errors(self) -> int:
        """All that has to change."""
        return self.substitutions + self.deletions + self.insertions


class _ErrorRate(_TextMetric, ABC):
    """Edits (Levenshtein 1966) of a hundred units of the references.

    Substitutions, deletions and insertions cost one each, as in jiwer. The rate is that of all examples
    together, their edits over their references' length, and may be more than 100. Of several references
    the closest counts: that with the fewest edits, of equals the longest. Of several ways to make as few
    edits, which differ in their kinds, rapidfuzz chooses, as it does for jiwer.
    """

    unit: ClassVar[str]
    """What is counted, as people say it of several."""

    @abstractmethod
    def _units(self, text: str) -> Sequence[str]:
        """What is counted of a normalised text."""

    def count(self, hypothesis: str, references: Sequence[str]) -> Edits:
        said = self._units(self._normalized(hypothesis))
        wanted = [self._units(self._normalized(reference)) for reference in some(references)]
        closest = min(wanted, key=lambda units: (Levenshtein.distance(units, said), -len(units)))
        kinds = Counter(edit.tag for edit in Levenshtein.editops(closest, said))
        hits = len(closest) - kinds["replace"] - kinds["delete"]
        return Edits(hits, kinds["replace"], kinds["delete"], kinds["insert"])

    def value(self, counts: Sequence[Edits]) -> float:
        total = Edits.total(counts)
        if not total.length:
            raise DataError("an error rate needs references that are not all empty")
        return 100 * total.errors / total.length

    def parts(self, counts: Sequence[Edits]) -> dict[str, int]:
        total = Edits.total(counts)
        return {self.unit: total.length, **total._asdict()}

    def signature(self) -> str:
        return f"refs:closest|{super().signature()}|rapidfuzz:{rapidfuzz.__version__}"


@final
class Cer(_ErrorRate):
    """Character error rate in percent; blanks between words are characters."""

    unit = "characters"

    def _units(self, text: str) -> Sequence[str]:
        return text


@final
class Wer(_ErrorRate):
    """Word error rate in percent, of words between white space."""

    unit = "words"

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
