"""When each word was said, by forced alignment of its tokens with what CTC says."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor
from torchaudio.functional import forced_align, merge_tokens

from seqloom.batch import Padded
from seqloom.nn.ctc import shortest_alignment
from seqloom.tokenizer import Tokenizer
from seqloom_speech.words import Part, Word


class Said(NamedTuple):
    """When a token was said.

    Attributes:
        start_s: When it begins, in seconds.
        end_s: When it ends.
        log_prob: How sure CTC is of it where it is surest.
    """

    start_s: float
    end_s: float
    log_prob: float


def timed_words(
    tokens: Sequence[int], tokenizer: Tokenizer, log_probs: Tensor, edges_s: Sequence[float]
) -> tuple[Word, ...]:
    """The words of a text, what white space parts, and when they were said.

    CTC says a token at some moment while it sounds, so a token lasts from halfway to the one before it to
    halfway to the one after it. The first and the last of a word reach outwards as far as its tokens do
    inwards in the mean, but not beyond the middle between two words. A token that two words share counts
    for both. A word's confidence is the geometric mean of its tokens' probabilities.

    Args:
        tokens: Of the text, without BOS and EOS.
        tokenizer: What writes them.
        log_probs: [S, V + 1], what CTC says of each position, the blank last.
        edges_s: [S + 1], where positions begin and the last one ends, in seconds.
    """
    text, reaches = written(tokens, tokenizer)
    spans = [word.span() for word in re.finditer(r"\S+", text)]
    if not spans:
        return ()
    said = token_times(tokens, log_probs, edges_s)
    own = [
        [number for number, (first, end) in enumerate(reaches) if first < stop and end > begin]
        for begin, stop in spans
    ]
    parted_s = [(said[before[-1]].end_s + said[after[0]].start_s) / 2 for before, after in pairwise(own)]
    limits_s = [edges_s[0], *parted_s, edges_s[-1]]
    words = []
    for (begin, stop), numbers, limits in zip(spans, own, pairwise(limits_s), strict=True):
        heard = [said[number] for number in numbers]
        bounds_s = _bounds(heard, *limits)
        pieces = (
            text[max(first, begin) : min(end, stop)] for first, end in map(reaches.__getitem__, numbers)
        )
        sureness = math.exp(sum(token.log_prob for token in heard) / len(heard))
        parts = tuple(map(Part, pieces, bounds_s, bounds_s[1:]))
        words.append(Word(text[begin:stop], bounds_s[0], bounds_s[-1], sureness, parts))
    return tuple(words)


def _bounds(said: Sequence[Said], low_s: float, high_s: float) -> list[float]:
    """Where the tokens of a word begin, and where the last one ends: between both limits."""
    first, last = said[0], said[-1]
    reach_s = (_middle_s(last) - _middle_s(first)) / (2 * max(1, len(said) - 1))
    return [
        min(first.start_s, max(low_s, first.start_s - reach_s)),
        *((before.end_s + after.start_s) / 2 for before, after in pairwise(said)),
        max(last.end_s, min(high_s, last.end_s + reach_s)),
    ]


def _middle_s(token: Said) -> float:
    return (token.start_s + token.end_s) / 2


def token_times(tokens: Sequence[int], log_probs: Tensor, edges_s: Sequence[float]) -> list[Said]:
    """When each token was said, in the most probable alignment of them all.

    A token's time is that of the positions that say it; the blanks after it belong to nobody. Where there
    are more tokens than positions for them, as a decoder may write, they share the time evenly, and
    nothing is sure of them.

    Args:
        tokens: At least one.
        log_probs: [S, V + 1], the blank last.
        edges_s: [S + 1], in seconds.
    """
    labels = torch.tensor([tokens])
    if shortest_alignment(Padded(labels, torch.tensor([len(tokens)]))) > len(log_probs):
        step = (edges_s[-1] - edges_s[0]) / len(tokens)
        moments = [edges_s[0] + step * number for number in range(len(tokens) + 1)]
        return [Said(start, end, -math.inf) for start, end in pairwise(moments)]
    blank = log_probs.shape[1] - 1
    path, scores = forced_align(log_probs[None], labels, blank=blank)
    return [
        Said(edges_s[span.start], edges_s[span.end], float(scores[0, span.start : span.end].max()))
        for span in merge_tokens(path[0], scores[0], blank=blank)
    ]


def written(tokens: Sequence[int], tokenizer: Tokenizer) -> tuple[str, list[tuple[int, int]]]:
    """The text of tokens, and which of its characters each of them writes, the first and the one after.

    They are found by writing ever more of the tokens, and so for any tokenizer. A token that writes a
    part of a character only, as bytes do, reaches over all of it.
    """
    text, done = tokenizer.decode(tokens), 0
    reaches = []
    for count in range(1, len(tokens) + 1):
        begun = tokenizer.decode(tokens[:count])
        first = done
        while done < min(len(begun), len(text)) and begun[done] == text[done]:
            done += 1
        reaches.append((first, done + 1 if done < len(begun) else done))
    return text, reaches
