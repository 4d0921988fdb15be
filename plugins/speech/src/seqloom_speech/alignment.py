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

    A word lasts from the beginning of the first of its tokens to the end of the last; a token that two
    words share counts for both. Its confidence is the geometric mean of its tokens' probabilities.

    Args:
        tokens: Of the text, without BOS and EOS.
        tokenizer: What writes them.
        log_probs: [S, V + 1], what CTC says of each position, the blank last.
        edges_s: [S + 1], where positions begin and the last one ends, in seconds.
    """
    if not tokens:
        return ()
    said = token_times(tokens, log_probs, edges_s)
    text, reaches = written(tokens, tokenizer)
    words = []
    for word in re.finditer(r"\S+", text):
        begin, stop = word.span()
        own = [
            (token, text[max(first, begin) : min(end, stop)])
            for token, (first, end) in zip(said, reaches, strict=True)
            if first < stop and end > begin
        ]
        sureness = math.exp(sum(token.log_prob for token, _ in own) / len(own))
        parts = tuple(Part(piece, token.start_s, token.end_s) for token, piece in own)
        words.append(Word(word[0], parts[0].start_s, parts[-1].end_s, sureness, parts))
    return tuple(words)


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
