"""The demo's corpus: nothing twice, always the same, and Spanish that agrees."""

from __future__ import annotations

import random
import re

import pytest

from seqloom_translation.grammar import corpus, number, sentence

PAIRS = corpus(2000, seed=3)


def test_nothing_is_there_twice() -> None:
    assert len({source for source, _ in PAIRS}) == len({target for _, target in PAIRS}) == 2000


def test_a_seed_says_all() -> None:
    assert corpus(50, seed=3) == PAIRS[:50]
    assert corpus(50, seed=4) != PAIRS[:50]


def test_a_sentence_is_one_on_both_sides() -> None:
    rng = random.Random(1)
    for _ in range(200):
        for text in sentence(rng):
            assert re.fullmatch(r"[A-Z].*[^.]\.", text)
            assert "  " not in text
            assert "{" not in text


@pytest.mark.parametrize(
    ("value", "english", "spanish"),
    [
        (1, "one", "un"),
        (16, "sixteen", "dieciséis"),
        (21, "twenty-one", "veintiún"),
        (29, "twenty-nine", "veintinueve"),
        (30, "thirty", "treinta"),
        (31, "thirty-one", "treinta y un"),
        (99, "ninety-nine", "noventa y nueve"),
    ],
)
def test_numbers(value: int, english: str, spanish: str) -> None:
    assert number(value) == (english, spanish)


def test_numbers_are_all_different() -> None:
    assert len({number(value) for value in range(1, 100)}) == 99


@pytest.mark.parametrize(
    ("english", "spanish"),
    [
        ("red apples", "manzanas rojas"),
        ("red lemons", "limones rojos"),
        ("grey cups", "tazas grises"),
        ("blue hats", "sombreros azules"),
        ("a white shirt", "una camisa blanca"),
        ("a white clock", "un reloj blanco"),
        ("tired girl", "niña cansada"),
        ("tired boy", "niño cansado"),
    ],
)
def test_adjectives_agree(english: str, spanish: str) -> None:
    having = [target.lower() for source, target in corpus(6000, 1) if english in source.lower()]
    assert having
    assert all(spanish in target for target in having)


def test_one_o_clock_is_singular() -> None:
    ones = [target for source, target in PAIRS if "past one " in source]
    assert ones
    assert all("a la una y" in target for target in ones)
