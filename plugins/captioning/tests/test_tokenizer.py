"""Captions as words: what is encoded is what is scored."""

from __future__ import annotations

from seqloom.tokenizer import Tokenizer
from seqloom_captioning.tokenizer import CaptionTokenizer


def fitted(**options: int) -> CaptionTokenizer:
    tokenizer = CaptionTokenizer(**options)
    tokenizer.fit(["A dog runs.", "The DOG's ball!", "a dog"])
    return tokenizer


def test_case_and_punctuation_are_no_tokens() -> None:
    tokenizer = fitted()
    assert isinstance(tokenizer, Tokenizer)
    assert tokenizer.encode("a Dog, runs") == tokenizer.encode("A dog runs.")
    assert tokenizer.decode(tokenizer.encode("The “dog's”  ball …")) == "the dog's ball"
    assert tokenizer.vocabulary.size == 4 + 6
    assert tokenizer.encode("...") == []


def test_rare_words_are_unknown() -> None:
    assert fitted(min_count=2).decode(fitted(min_count=2).encode("a dog runs")) == "a dog <unk>"
    assert fitted(size=5).vocabulary.size == 5


def test_it_comes_back_from_its_state() -> None:
    copy = CaptionTokenizer()
    copy.restore(fitted().state())
    assert copy.encode("the dog's ball") == fitted().encode("the dog's ball")
