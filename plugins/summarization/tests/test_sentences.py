"""Sentences end where they end, and pieces hold all of a text within their limit."""

from __future__ import annotations

import random

import pytest

from seqloom_summarization.sentences import cut, lead, sentences


def words(text: str) -> int:
    return len(text.split())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("One here. Two there! Three?", ["One here.", "Two there!", "Three?"]),
        ("We ask “Why?” Nobody knows.", ["We ask “Why?”", "Nobody knows."]),
        (
            "Dr. Ay and J. Bee (cf. Fig. 2) met. They left.",
            ["Dr. Ay and J. Bee (cf. Fig. 2) met.", "They left."],
        ),
        ("It has 3.5 parts, e.g. a lid. v. 2 is new.", ["It has 3.5 parts, e.g. a lid. v. 2 is new."]),
        ("Wait... what? Yes", ["Wait... what?", "Yes"]),
        ("a line\n\nanother. One more\n", ["a line", "another.", "One more"]),
        ("これは一。これは二！", ["これは一。", "これは二！"]),
        ("  \n ", []),
    ],
)
def test_sentences(text: str, found: list[str]) -> None:
    assert sentences(text) == found
    assert lead(text) == (found[0] if found else "")


def test_a_text_that_fits_is_one_piece_as_it_is() -> None:
    text = "One  two.\n\nThree."
    assert cut(text, 3, words) == [text]


def test_paragraphs_stay_whole_where_they_can() -> None:
    text = "One two.\nThree four five.\nSix.\n\nSeven eight."
    assert cut(text, 5, words) == ["One two.\nThree four five.", "Six.\nSeven eight."]
    assert cut(text, 4, words) == ["One two.", "Three four five.\nSix.", "Seven eight."]


def test_a_long_paragraph_is_cut_at_sentences_and_a_long_sentence_at_words() -> None:
    text = "A b. C d. E f g.\nH."
    assert cut(text, 4, words) == ["A b. C d.", "E f g.\nH."]
    assert cut(text, 2, words) == ["A b.", "C d.", "E f", "g.\nH."]
    assert cut("abc defg", 3, len) == ["abc", "defg"]  # a word is never cut


@pytest.mark.parametrize("seed", range(20))
def test_pieces_have_all_words_within_the_limit(seed: int) -> None:
    rng = random.Random(seed)
    ends = ["", "", "", ".", "!", "\n", ".\n\n"]
    text = " ".join(rng.choice(["Ab", "cd", "Efg"]) + rng.choice(ends) for _ in range(rng.randint(1, 80)))
    longest = rng.randint(1, 12)
    pieces = cut(text, longest, words)
    assert [word for piece in pieces for word in piece.split()] == text.split()
    assert max(map(words, pieces)) <= longest
