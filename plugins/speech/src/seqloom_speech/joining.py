"""What was heard in the pieces of a recording as one: without words that two pieces share, or none has.

Where two pieces overlap, both were heard with a cut on one side, so that words beside it are worth little.
The longest run of words that both have there is where one goes over into the other. Where they have
nothing in common, it is the moment between words that is nearest to the middle.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from seqloom.batch import Hypothesis
from seqloom.tokenizer import Tokenizer
from seqloom_audio.segments import Segment
from seqloom_speech.alignment import written
from seqloom_speech.words import Word, moved

NEAR_S: Final = 0.5
"""How far times of one word may lie apart in two pieces."""


TAIL: Final = 8
"""Tokens of a text that tell how its end is written."""


class Heard(NamedTuple):
    """A word of a piece.

    Attributes:
        word: With its time in the recording.
        first: The first of its tokens.
        end: The one after its last.
    """

    word: Word
    first: int
    end: int

    @property
    def middle_s(self) -> float:
        return (self.word.start_s + self.word.end_s) / 2


class Seam(NamedTuple):
    """Where one piece goes over into the next.

    Attributes:
        left: How many words of the first are taken.
        right: How many words of the second are left out.
    """

    left: int
    right: int


def joined(segments: Sequence[Segment], found: Sequence[Hypothesis], tokenizer: Tokenizer) -> Hypothesis:
    """Pieces of a recording as one output.

    Its score is the sum of theirs. What stands between two pieces has no score of its own, and the end is
    that of the last piece. Words are told where all pieces tell theirs.

    Args:
        segments: What the pieces are, in order, of one recording; each has an end.
        found: What was heard in each, with times relative to it.
        tokenizer: What writes them.
    """
    is_timed = all("words" in hypothesis.details for hypothesis in found)
    heard = [
        heard_words(hypothesis, segment, tokenizer)
        for segment, hypothesis in zip(segments, found, strict=True)
    ]
    begins, ends = [0] * len(heard), [len(words) for words in heard]
    for left, (one, other) in enumerate(pairwise(segments)):
        if one.end_s is not None and other.start_s < one.end_s:
            overlap = other.start_s, one.end_s
            seam = seam_of(heard[left], heard[left + 1], overlap, is_timed=is_timed)
            ends[left], begins[left + 1] = seam.left, seam.right
    tokens: list[int] = []
    scores: list[float] = []
    words: list[Word] = []
    for hypothesis, own, begin, end in zip(found, heard, begins, ends, strict=True):
        if begin >= end:
            continue
        taken = slice(own[begin].first, own[end - 1].end)
        between = _between(tokens, hypothesis.tokens[taken], tokenizer)
        tokens += [*between, *hypothesis.tokens[taken]]
        scores += [0.0] * len(between) + list(hypothesis.token_scores[taken])
        words += [one.word for one in own[begin:end]]
    return Hypothesis(
        tokens=tuple(tokens),
        score=sum(hypothesis.score for hypothesis in found),
        token_scores=(*scores, found[-1].token_scores[-1]),
        details={"words": tuple(words)} if is_timed else {},
    )


def heard_words(hypothesis: Hypothesis, segment: Segment, tokenizer: Tokenizer) -> list[Heard]:
    """The words of a piece; where nothing tells their times, as if letters were spoken evenly."""
    text, reaches = written(hypothesis.tokens, tokenizer)
    spans = [match.span() for match in re.finditer(r"\S+", text)]
    if "words" in hypothesis.details:
        words = moved(hypothesis.details["words"], segment.start_s)
    else:
        pace = ((segment.end_s or segment.start_s) - segment.start_s) / max(1, len(text))
        words = moved(
            [(text[start:end], start * pace, end * pace, 0.0) for start, end in spans], segment.start_s
        )
    return [Heard(word, *_tokens_of(span, reaches)) for word, span in zip(words, spans, strict=True)]


def _tokens_of(span: tuple[int, int], reaches: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The tokens that write these characters, the first and the one after the last."""
    own = [number for number, (first, end) in enumerate(reaches) if first < span[1] and end > span[0]]
    return own[0], own[-1] + 1


def _between(before: Sequence[int], after: Sequence[int], tokenizer: Tokenizer) -> Sequence[int]:
    """The tokens that part two texts by a blank; often none, where words have theirs."""
    if not before:
        return ()
    tail = before[-TAIL:]
    wanted = f"{tokenizer.decode(tail)} {tokenizer.decode(after)}"
    blank = tokenizer.encode(" ")
    return blank if tokenizer.decode([*tail, *blank, *after]) == wanted else ()


# Seams -------------------------------------------------------------------------------------------------


def seam_of(
    left: Sequence[Heard], right: Sequence[Heard], overlap: tuple[float, float], *, is_timed: bool
) -> Seam:
    """Where one piece goes over into the next.

    Args:
        left: The words of the first piece.
        right: Those of the second.
        overlap: Where it begins and ends, in seconds.
        is_timed: Whether times are known; guessed ones tell little.
    """
    middle_s = sum(overlap) / 2
    runs = _common_runs(left, right, is_timed=is_timed)
    run = max(runs, key=lambda run: (run.agreement, -run.apart_s), default=None)
    if run is None or (not is_timed and run.agreement < 0):
        moment = _moment([*left, *right], middle_s, overlap)
        return Seam(_before(left, moment), _before(right, moment))
    taken = _before(left[run.left : run.left + run.size], middle_s)
    return Seam(run.left + taken, run.right + taken)


class Run(NamedTuple):
    """Words that two pieces have in common.

    Attributes:
        left: The first of them in the one.
        right: The first of them in the other.
        size: How many there are.
        lost: How many are between them and the cuts: after them in the one, before them in the other.
        apart_s: How far their times lie apart.
    """

    left: int
    right: int
    size: int
    lost: int
    apart_s: float

    @property
    def agreement(self) -> int:
        """How many words of both agree, less those that do not: what both have goes up to the cuts."""
        return 2 * self.size - self.lost


def _common_runs(left: Sequence[Heard], right: Sequence[Heard], *, is_timed: bool) -> Iterator[Run]:
    """All runs of the same words, at about the same time; none is part of another."""

    def apart_s(i: int, j: int) -> float:
        return abs(left[i].middle_s - right[j].middle_s)

    def is_same(i: int, j: int) -> bool:
        is_near = not is_timed or apart_s(i, j) <= NEAR_S
        return is_near and left[i].word.text == right[j].word.text

    for i in range(len(left)):
        for j in range(len(right)):
            if not is_same(i, j) or (i and j and is_same(i - 1, j - 1)):
                continue
            size = 1
            while i + size < len(left) and j + size < len(right) and is_same(i + size, j + size):
                size += 1
            yield Run(i, j, size, len(left) - i - size + j, apart_s(i, j))


def _moment(near: Sequence[Heard], middle_s: float, overlap: tuple[float, float]) -> float:
    """The moment in an overlap that is least within a word, and of several the nearest to the middle."""
    edges = [edge for one in near for edge in (one.word.start_s, one.word.end_s)]
    moments = [middle_s, *(edge for edge in edges if overlap[0] <= edge <= overlap[1])]

    def cost(moment: float) -> tuple[float, float]:
        within = sum(max(0.0, min(moment - one.word.start_s, one.word.end_s - moment)) for one in near)
        return within, abs(moment - middle_s)

    return min(moments, key=cost)


def _before(words: Sequence[Heard], moment: float) -> int:
    """How many words are before a moment."""
    return sum(one.middle_s < moment for one in words)
