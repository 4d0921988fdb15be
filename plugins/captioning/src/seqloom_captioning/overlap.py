"""BLEU and ROUGE-L as captioning reports them: of lower-case words, several references a picture."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple, final

from seqloom.metrics import Metric
from seqloom.metrics.base import some
from seqloom_captioning.words import SIGNATURE, words

Gram = tuple[str, ...]


def grams(sentence: Sequence[str], order: int) -> Counter[Gram]:
    """How often each run of ``order`` words occurs."""
    return Counter(tuple(sentence[at : at + order]) for at in range(len(sentence) - order + 1))


class BleuCount(NamedTuple):
    """What a caption contributes to BLEU.

    Attributes:
        length: Its words.
        wanted: Those of the reference whose number of words is nearest, of equals the fewer.
        matches: For each order, runs of words that a reference has, too.
        runs: For each order, runs of words that it has.
    """

    length: int
    wanted: int
    matches: tuple[int, ...]
    runs: tuple[int, ...]


@final
class CaptionBleu(Metric):
    """BLEU of runs of one to so many words (Papineni et al. 2002), of all captions together, in percent.

    Nothing is smoothed: without a match of the longest runs it is 0. As the COCO caption evaluation
    (Chen et al. 2015, section 3.2) has it, each reference counts by the length nearest to the caption's.

    Args:
        order: Longest run of words.
    """

    def __init__(self, order: int) -> None:
        self._order = order

    def count(self, hypothesis: str, references: Sequence[str]) -> BleuCount:
        said, wanted = words(hypothesis), [words(reference) for reference in some(references)]
        matches, runs = [], []
        for order in range(1, self._order + 1):
            own = grams(said, order)
            most: Counter[Gram] = Counter()
            for reference in wanted:
                most |= grams(reference, order)
            matches.append((own & most).total())
            runs.append(own.total())
        nearest = min((abs(len(reference) - len(said)), len(reference)) for reference in wanted)[1]
        return BleuCount(len(said), nearest, tuple(matches), tuple(runs))

    def value(self, counts: Sequence[BleuCount]) -> float:
        counts = [BleuCount(*count) for count in some(counts)]
        matches = [sum(several) for several in zip(*(count.matches for count in counts), strict=True)]
        runs = [sum(several) for several in zip(*(count.runs for count in counts), strict=True)]
        if not all(matches):
            return 0.0
        length, wanted = sum(count.length for count in counts), sum(count.wanted for count in counts)
        brevity = min(0.0, 1 - wanted / length)
        logs = [math.log(match / run) for match, run in zip(matches, runs, strict=True)]
        return 100 * math.exp(brevity + sum(logs) / self._order)

    def signature(self) -> str:
        return f"{SIGNATURE}|smooth:none|length:nearest"


@final
class RougeL(Metric):
    """ROUGE-L (Lin 2004, section 3): the mean F of captions' longest common subsequences, in percent.

    As the COCO caption evaluation (Chen et al. 2015, section 3.3) has it, the best precision and the best
    recall of a caption may be against different references.
    """

    BETA: Final = 1.2  # weight of recall: Chen et al. 2015, section 3.3

    def count(self, hypothesis: str, references: Sequence[str]) -> float:
        said, wanted = words(hypothesis), [words(reference) for reference in some(references)]
        shared = [(common_subsequence(said, reference), len(reference)) for reference in wanted]
        precision = max(common / max(1, len(said)) for common, _ in shared)
        recall = max(common / max(1, length) for common, length in shared)
        if not precision:
            return 0.0
        return (1 + self.BETA**2) * precision * recall / (recall + self.BETA**2 * precision)

    def value(self, counts: Sequence[float]) -> float:
        return 100 * math.fsum(some(counts)) / len(counts)

    def signature(self) -> str:
        return f"{SIGNATURE}|beta:{self.BETA:g}"


def common_subsequence(first: Sequence[str], second: Sequence[str]) -> int:
    """The length of the longest sequence of words that both have in this order."""
    lengths = [0] * (len(second) + 1)  # of what is common up to each word of the second
    for word in first:
        before = 0
        for at, other in enumerate(second, 1):
            above = lengths[at]
            lengths[at] = before + 1 if word == other else max(above, lengths[at - 1])
            before = above
    return lengths[-1]
