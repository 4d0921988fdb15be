"""Words get their times from the best of all alignments, whatever the tokens are."""

from __future__ import annotations

import math
from itertools import pairwise, product

import pytest
import torch

from seqloom.tokenizer import (
    BpeTokenizer,
    ByteTokenizer,
    CharTokenizer,
    Tokenizer,
    UnigramTokenizer,
    WordTokenizer,
)
from seqloom_speech.alignment import timed_words, token_times, written
from seqloom_speech.words import Word, moved

BLANK = 4
TEXTS = ["eins zwei", "Grüße an  Zoë", "où naïve\tcafés", " 🎈🎈 🎈", "a", "señor ñu", "日本 語"]


def edges(positions: int, seconds: float = 0.04) -> list[float]:
    return [seconds * position for position in range(positions + 1)]


def said(*classes: int, sure: float = 0.9, count: int = BLANK + 1) -> torch.Tensor:
    """Log-probabilities [S, V + 1] of what is said at each position."""
    probs = torch.full((len(classes), count), (1 - sure) / (count - 1))
    probs[range(len(classes)), list(classes)] = sure
    return probs.log()


# Tokens ------------------------------------------------------------------------------------------------


def best_alignment(tokens: tuple[int, ...], log_probs: torch.Tensor) -> list[tuple[int, int]]:
    """The positions of each token, by trying all that there are to say."""
    best, found = -math.inf, None
    for path in product(range(BLANK + 1), repeat=len(log_probs)):
        spans: list[tuple[int, int]] = []
        for position, token in enumerate(path):
            if token != BLANK and position and path[position - 1] == token:
                spans[-1] = (spans[-1][0], position + 1)
            elif token != BLANK:
                spans.append((position, position + 1))
        score = float(log_probs[range(len(path)), list(path)].sum())
        if tuple(path[first] for first, _ in spans) == tokens and score > best:
            best, found = score, spans
    assert found is not None
    return found


@pytest.mark.parametrize("tokens", [(0,), (1, 2), (3, 3), (0, 1, 0), (2, 2, 1)])
def test_the_alignment_is_the_most_probable_of_all(tokens: tuple[int, ...]) -> None:
    for seed in range(3):
        generator = torch.Generator().manual_seed(seed)
        log_probs = (2 * torch.randn(5, BLANK + 1, generator=generator)).log_softmax(1)
        times = token_times(tokens, log_probs, edges(5, 1.0))
        spans = best_alignment(tokens, log_probs)
        assert [(time.start_s, time.end_s) for time in times] == spans
        for time, token, (first, end) in zip(times, tokens, spans, strict=True):
            assert time.log_prob == pytest.approx(float(log_probs[first:end, token].max()))


def test_equal_tokens_have_a_blank_between_them() -> None:
    times = token_times((1, 1), said(1, 1, 1), edges(3, 1.0))
    assert [(time.start_s, time.end_s) for time in times] == [(0, 1), (2, 3)]


@pytest.mark.parametrize("tokens", [(0, 1, 2), (1, 1)])
def test_tokens_without_positions_share_the_time_and_are_not_sure(tokens: tuple[int, ...]) -> None:
    times = token_times(tokens, said(0, 1), [0.0, 0.04, 0.06])
    assert times[0].start_s == 0
    assert times[-1].end_s == pytest.approx(0.06)
    assert {round(time.end_s - time.start_s, 9) for time in times} == {0.06 / len(tokens)}
    assert all(time.log_prob == -math.inf for time in times)


# Words -------------------------------------------------------------------------------------------------


def fitted(tokenizer: Tokenizer) -> Tokenizer:
    tokenizer.fit([*TEXTS, "eins eins zwei zwei eins cafés cafés"])
    return tokenizer


TOKENIZERS = {
    "char": CharTokenizer,
    "byte": ByteTokenizer,
    "bpe": lambda: BpeTokenizer(size=300),
    "unigram": lambda: UnigramTokenizer(size=280),
    "word": WordTokenizer,
}


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("name", TOKENIZERS)
def test_words_are_those_of_the_text_in_order(name: str, text: str) -> None:
    tokenizer = fitted(TOKENIZERS[name]())
    tokens = tokenizer.encode(text)
    size = tokenizer.vocabulary.size
    path = [part for token in tokens for part in (token, size)]
    words = timed_words(tokens, tokenizer, said(*path, count=size + 1), edges(len(path)))
    assert [word.text for word in words] == tokenizer.decode(tokens).split()
    assert all(word.start_s < word.end_s for word in words)
    assert all(word.confidence == pytest.approx(0.9) for word in words)
    assert all(before.end_s < after.start_s for before, after in pairwise(words))


@pytest.mark.parametrize("name", TOKENIZERS)
def test_every_character_is_written_by_some_token(name: str) -> None:
    tokenizer = fitted(TOKENIZERS[name]())
    for text in TEXTS:
        whole, reaches = written(tokenizer.encode(text), tokenizer)
        seen = [place for first, end in reaches for place in range(first, end)]
        assert sorted(set(seen)) == list(range(len(whole)))
        assert seen == sorted(seen)


def test_each_byte_of_a_character_reaches_over_it() -> None:
    tokenizer = ByteTokenizer()
    assert written(tokenizer.encode("aé!"), tokenizer) == ("aé!", [(0, 1), (1, 2), (1, 2), (2, 3)])
    tokens = tokenizer.encode("a é")
    positions = [*tokens, 260, 260]
    words = timed_words(tokens, tokenizer, said(*positions, count=261), edges(6, 1.0))
    assert [(word.text, word.start_s, word.end_s) for word in words] == [("a", 0, 1), ("é", 2, 4)]


def test_a_word_lasts_from_its_first_token_to_its_last_and_is_as_sure_as_they_are() -> None:
    tokenizer = CharTokenizer()
    tokenizer.fit(["ab ba"])
    a, space, b = (tokenizer.encode(character)[0] for character in "a b")
    blank = tokenizer.vocabulary.size
    sure = {"a": 0.9, "b": 0.4}
    parts = [
        said(blank, count=blank + 1),
        said(a, a, sure=sure["a"], count=blank + 1),
        said(blank, b, sure=sure["b"], count=blank + 1),
        said(blank, space, blank, b, a, blank, count=blank + 1),
    ]
    words = timed_words([a, b, space, b, a], tokenizer, torch.cat(parts), edges(11, 0.04))
    assert [word.text for word in words] == ["ab", "ba"]
    times = [moment for word in words for moment in (word.start_s, word.end_s)]
    assert times == pytest.approx([0.04, 0.2, 0.32, 0.4])
    assert [word.confidence for word in words] == pytest.approx([math.sqrt(0.9 * 0.4), 0.9])


def test_nothing_said_has_no_words() -> None:
    tokenizer = ByteTokenizer()
    assert timed_words([], tokenizer, said(4, 4), edges(2)) == ()
    spaces = tokenizer.encode("  ")
    assert timed_words(spaces, tokenizer, said(260, 260, 260, 260, count=261), edges(4)) == ()


def test_words_of_a_part_are_moved_to_where_it_begins() -> None:
    kept = [["so", 0.5, 0.75, 0.9]]  # as JSON gives it back
    assert moved(kept, 12.0) == (Word("so", 12.5, 12.75, 0.9),)
