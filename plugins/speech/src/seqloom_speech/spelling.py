"""How are numbers said in English? Digits to words, so that nothing is left of them."""

from __future__ import annotations

import re
from typing import Final

UNITS: Final = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    "ten", "eleven", "twelve", "thirteen", "fourteen",
    "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
TENS: Final = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
SCALES: Final = ("", "thousand", "million", "billion", "trillion")
ORDINALS: Final = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip
LONGEST: Final = 15
"""Digits of the longest number that has a name here; longer ones are said digit by digit."""

_NUMBER: Final = re.compile(
    r"(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)"
    r"(?P<fractions>(?:\.[0-9]+)*)"
    r"(?P<ending>(?:st|nd|rd|th|'?s)(?!\w))?"
)


def spelled_numbers(text: str) -> str:
    """A text in lower case with its digits, ``%`` and ``&`` in words.

    Numbers may be grouped (``1,250``), have digits after a point, and end as ordinals (``21st``) or
    plurals (``1990s``) do. Four digits from 1100 to 1999 and from 2010 to 2099 are said as years are, in
    pairs, which is how most of them are meant. Those that begin with a zero, or are very long, are said
    digit by digit. There is no "and" in a number. Each run of digits becomes words, wherever it stands, so
    a text of which all numbers are spelled stays as it is. What depends on more than digits is not
    guessed at: of times, dates and amounts the numbers are said as they stand.
    """
    spelled = _NUMBER.sub(lambda found: f" {_said(found)} ", text)
    return spelled.replace("%", " percent ").replace("&", " and ")


def _said(found: re.Match[str]) -> str:
    whole, ending = found["whole"].replace(",", ""), found["ending"] or ""
    fractions = found["fractions"].split(".")[1:]
    said = _whole(whole, is_plain=whole == found["whole"] and not fractions and ending in {"", "s", "'s"})
    for digits in fractions:
        said += " point " + _digits(digits)
    match ending:
        case "":
            return said
        case "'s":
            return said + "'s"
        case "s":
            return _plural(said)
        case _:
            return _ordinal(said)


def _whole(digits: str, *, is_plain: bool) -> str:
    """A number without a fraction.

    Args:
        digits: Its own.
        is_plain: Whether it may be a year: nothing else is said of it.
    """
    if (digits[0] == "0" and digits != "0") or len(digits) > LONGEST:
        return _digits(digits)
    number = int(digits)
    if is_plain and (1100 <= number < 2000 or 2010 <= number < 2100):
        return _year(number)
    return cardinal(number)


def _digits(digits: str) -> str:
    return " ".join(UNITS[int(digit)] for digit in digits)


def _year(number: int) -> str:
    century, rest = divmod(number, 100)
    if not rest:
        return f"{cardinal(century)} hundred"
    return f"{cardinal(century)} {'oh ' if rest < 10 else ''}{cardinal(rest)}"


def cardinal(number: int) -> str:
    """A whole number of at most 15 digits: ``one thousand two hundred thirty four``."""
    if number < 1000:
        return _below_thousand(number)
    words = []
    for scale in SCALES:
        number, group = divmod(number, 1000)
        if group:
            words.append(f"{_below_thousand(group)} {scale}".rstrip())
    return " ".join(reversed(words))


def _below_thousand(number: int) -> str:
    if number < 20:
        return UNITS[number]
    if number < 100:
        tens, rest = divmod(number, 10)
        return TENS[tens - 2] + (f" {UNITS[rest]}" if rest else "")
    hundreds, rest = divmod(number, 100)
    return f"{UNITS[hundreds]} hundred" + (f" {_below_thousand(rest)}" if rest else "")


def _ordinal(said: str) -> str:
    *before, last = said.split()
    last = last[:-1] + "ieth" if last.endswith("y") else ORDINALS.get(last, last + "th")
    return " ".join([*before, last])


def _plural(said: str) -> str:
    if said.endswith("y"):
        return said[:-1] + "ies"
    return said + ("es" if said.endswith("x") else "s")
