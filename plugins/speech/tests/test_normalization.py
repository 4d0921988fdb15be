"""What each rule makes of texts: a golden table, which only grows."""

from __future__ import annotations

import random
import sys
import unicodedata

import pytest

from seqloom_speech.normalization import RULES
from seqloom_speech.spelling import cardinal, spelled_numbers

GOLDEN = {
    "basic-1": [
        ("It's 5 p.m., isn’t it?", "it's 5 p m isn't it"),
        ("THE DOGS’ ‘rock 'n' roll’ — don´t, don`t, it''s", "the dogs rock n roll don't don't it s"),
        ("well-known co\u00adoperation (2nd ed.)", "well known cooperation 2nd ed"),
        ("Straße, ÉCOLE, cafe\u0301, ﬁne, ＡＢＣ", "straße école café fine abc"),
        ("snake_case 1,250 + 3.5 % & #7", "snake case 1 250 3 5 7"),
        ("Ўзбекистон «дўст» İ ΟΔΟΣ", "ўзбекистон дўст i\u0307 οδος"),
        ("नमस्ते, दुनिया! 你好，世界。 می‌خواهم", "नमस्ते दुनिया 你好 世界 میخواهم"),
        ("\u0149 rock", "n rock"),
        (" \t\n…—?! ", ""),
    ],
    "english-1": [
        ("It's 5 p.m., isn’t it?", "it's five p m isn't it"),
        ("0 7 13 20 21 100 101 999", "zero seven thirteen twenty twenty one one hundred one hundred one "
         "nine hundred ninety nine"),
        ("1,000 12,345 7000", "one thousand twelve thousand three hundred forty five seven thousand"),
        ("2,000,000 3,000,000,001", "two million three billion one"),
        ("1000 1100 1776 1900 1905 1999", "one thousand eleven hundred seventeen seventy six "
         "nineteen hundred nineteen oh five nineteen ninety nine"),
        ("2000 2009 2010 2099 2100", "two thousand two thousand nine twenty ten twenty ninety nine "
         "two thousand one hundred"),
        ("1,984 1984.5", "one thousand nine hundred eighty four one thousand nine hundred eighty four "
         "point five"),
        ("1st 2nd 3rd 4th 5th 8th 9th 12th", "first second third fourth fifth eighth ninth twelfth"),
        ("20TH 21st 100th 112th 1,000th", "twentieth twenty first one hundredth one hundred twelfth "
         "one thousandth"),
        ("the 1990s, 20s and 6s; 1990's", "the nineteen nineties twenties and sixes nineteen ninety's"),
        ("3.14 0.05 1.2.3", "three point one four zero point zero five one point two point three"),
        ("50% of R&D, $20.50", "fifty percent of r and d twenty point five zero"),
        ("5:30pm 10/11 mp3 4k -5", "five thirty pm ten eleven mp three four k five"),
        ("007 1234567890123456", "zero zero seven one two three four five six seven eight nine zero "
         "one two three four five six"),
        ("1,23 ２１", "one twenty three twenty one"),
        ("2nds 5thing", "two nds five thing"),
        ("twenty-one, Mr. O'Neil", "twenty one mr o'neil"),
        ("x² ½", "x two one two"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(("name", "raw", "wanted"), [(n, *pair) for n in GOLDEN for pair in GOLDEN[n]])
def test_a_rule_does_what_it_did(name: str, raw: str, wanted: str) -> None:
    assert RULES[name](raw) == wanted


def test_every_rule_has_its_table() -> None:
    assert RULES.keys() == GOLDEN.keys()


def sample() -> list[str]:
    """A text for each character, or in the planes beyond the first, each 64th, in different company."""
    codes = [*range(0xD800), *range(0xE000, 0x10000), *range(0x10000, sys.maxunicode, 64)]
    return [f"{'a1'[code % 2]}{chr(code)}{'b2'[code // 2 % 2]} {chr(code)}" for code in codes]


def mixtures() -> list[str]:
    """Texts of what rules look at, at random."""
    letters = [
        "a",
        "s",
        "th",
        "st",
        "nd",
        "1",
        "20",
        "1,000",
        "0",
        ".",
        ",",
        "'",
        "’",
        "%",
        "&",
        " ",
        "-",
        "É",
    ]
    made = random.Random(1)
    return ["".join(made.choices(letters, k=made.randint(1, 12))) for _ in range(5000)]


@pytest.mark.parametrize("name", RULES)
def test_what_is_normalized_stays_as_it_is(name: str) -> None:
    rule = RULES[name]
    for raw in [*sample(), *mixtures()]:
        text = rule(raw)
        assert rule(text) == text, raw


def test_nothing_is_left_of_digits_and_punctuation() -> None:
    for raw in mixtures():
        text = RULES["english-1"](raw)
        assert not any(character.isdigit() for character in text), raw
        kinds = {unicodedata.category(character)[0] for character in text.replace("'", "")}
        assert kinds <= {"L", "Z"}, raw
        assert text == " ".join(text.split())


def value(words: list[str]) -> int:
    """The number that words say: multiplied and added up, an independent way back."""
    small = {cardinal(number): number for number in [*range(20), *range(20, 100, 10)]}
    scales = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
    total = group = 0
    for word in words:
        if word == "hundred":
            group *= 100
        elif word in scales:
            total, group = total + group * scales[word], 0
        else:
            group += small[word]
    return total + group


def test_numbers_can_be_read_back() -> None:
    made = random.Random(2)
    numbers = [*range(1100), *(made.randrange(10 ** made.randint(4, 15)) for _ in range(2000))]
    for number in numbers:
        assert value(cardinal(number).split()) == number
        grouped = f"{number:,}"
        assert spelled_numbers(grouped).split() == cardinal(number).split()
