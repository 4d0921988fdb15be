"""distinct-1 and distinct-2 as Li et al. 2016 have them: over the words of all replies together."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise

import pytest

from seqloom.errors import DataError
from seqloom_dialogue.distinct import Distinct


def score(order: int, replies: Sequence[str]) -> float:
    metric = Distinct(order)
    return metric.value([metric.count(reply, ["whatever"]) for reply in replies])


def test_by_hand() -> None:
    replies = ["I do not know .", "I do not .", "You do !"]  # 12 words: i do not know . you !
    assert score(1, replies) == pytest.approx(100 * 7 / 12)
    # i-do do-not not-know know-. not-. you-do do-!; none from one reply to the next
    assert score(2, replies) == pytest.approx(100 * 7 / 12)


def test_random_replies_against_a_plain_count() -> None:
    rng = random.Random(1)
    replies = [" ".join(rng.choices("abcdefg", k=rng.randint(1, 9))) for _ in range(50)]
    words = [reply.split() for reply in replies]
    total = sum(map(len, words))
    pairs = {f"{one} {two}" for said in words for one, two in pairwise(said)}
    assert score(1, replies) == pytest.approx(100 * len({word for said in words for word in said}) / total)
    assert score(2, replies) == pytest.approx(100 * len(pairs) / total)


def test_saying_the_same_again_counts_for_less() -> None:
    assert score(1, ["a b"]) == 100
    assert score(1, ["a b"] * 4) == 25
    assert score(2, ["a b"] * 4) == 12.5
    assert score(2, ["a", "b"]) == 0


def test_case_counts_for_nothing_and_a_mark_is_a_word() -> None:
    assert Distinct(1).count("The Cat's 3rd, isn't it?", []) == [
        *("the", "cat", "'", "s", "3rd", ",", "isn", "'", "t", "it", "?")
    ]
    assert score(1, ["A a."]) == pytest.approx(100 * 2 / 3)


def test_parts_say_what_it_is_made_of() -> None:
    metric = Distinct(2)
    counts = [metric.count(reply, []) for reply in ("a b a b", "a b")]
    assert metric.parts(counts) == {"words": 6, "different": 2}
    assert next(iter(metric.parts(counts))) == "words"


def test_nothing_said_is_not_varied() -> None:
    assert score(1, ["", ""]) == 0
    with pytest.raises(DataError, match="at least one hypothesis"):
        score(1, [])


def test_the_signature_says_how() -> None:
    assert Distinct(1).signature() == Distinct(2).signature() == "case:lc|tok:words and marks|per:words"
