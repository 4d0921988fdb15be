"""CIDEr-D: how much a caption says of what people say of a picture, and of no other one."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple, final

from seqloom.metrics import Metric
from seqloom.metrics.base import some
from seqloom_captioning.overlap import Gram, grams
from seqloom_captioning.words import SIGNATURE, words

ORDERS: Final = (1, 2, 3, 4)
SIGMA: Final = 6.0  # of the penalty on lengths: Vedantam et al. 2015, section 4
SCALE: Final = 10.0  # by which CIDEr-D is usually reported (the same section), here in percent


class _Vector(NamedTuple):
    """A caption as numbers.

    Attributes:
        weights: For each order, the TF-IDF weight of each run of words.
        norms: For each order, the root of the sum of their squares.
        length: Runs of two words: what the authors' program takes for a caption's length.
    """

    weights: list[dict[Gram, float]]
    norms: list[float]
    length: int


@final
class CiderD(Metric):
    """CIDEr-D (Vedantam et al. 2015, section 4), in percent: 100 is one on its authors' scale.

    How rare a run of words is follows from the references of the data set that is scored: of how many
    pictures some reference has it. So scores of different sets, or parts of one, do not compare.
    """

    def count(self, hypothesis: str, references: Sequence[str]) -> tuple[list[str], list[list[str]]]:
        """Their words; what they are worth depends on all references of the data set."""
        return words(hypothesis), [words(reference) for reference in some(references)]

    def value(self, counts: Sequence[tuple[list[str], list[list[str]]]]) -> float:
        rarity = _Rarity([references for _, references in some(counts)])
        scores = (
            math.fsum(_similarity(rarity.vector(said), rarity.vector(one)) for one in references)
            / len(references)
            for said, references in counts
        )
        return 100 * SCALE * math.fsum(scores) / len(counts)

    def signature(self) -> str:
        return f"{SIGNATURE}|idf:these references|sigma:{SIGMA:g}"


class _Rarity:
    """How rare runs of words are among pictures.

    Args:
        pictures: The references of each.
    """

    def __init__(self, pictures: Sequence[Iterable[Sequence[str]]]) -> None:
        self._most = math.log(len(pictures))
        self._pictures = Counter(
            gram
            for references in pictures
            for gram in {gram for one in references for order in ORDERS for gram in grams(one, order)}
        )

    def vector(self, caption: Sequence[str]) -> _Vector:
        """Equation 1 of section 3, for each order."""
        weights = [
            {gram: count * self._idf(gram) for gram, count in grams(caption, order).items()}
            for order in ORDERS
        ]
        norms = [math.sqrt(math.fsum(weight**2 for weight in own.values())) for own in weights]
        return _Vector(weights, norms, max(0, len(caption) - 1))

    def _idf(self, gram: Gram) -> float:
        return self._most - math.log(max(1, self._pictures[gram]))


def _similarity(said: _Vector, reference: _Vector) -> float:
    """The mean over orders of section 4's clipped cosine, less where lengths differ."""
    cosines = (
        _clipped_product(own, other) / (norm * other_norm) if norm and other_norm else 0.0
        for own, norm, other, other_norm in zip(
            said.weights, said.norms, reference.weights, reference.norms, strict=True
        )
    )
    distance = said.length - reference.length
    return math.exp(-(distance**2) / (2 * SIGMA**2)) * math.fsum(cosines) / len(ORDERS)


def _clipped_product(said: Mapping[Gram, float], reference: Mapping[Gram, float]) -> float:
    shared = said.keys() & reference.keys()
    return math.fsum(min(said[gram], reference[gram]) * reference[gram] for gram in shared)
