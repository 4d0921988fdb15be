"""Pieces become one text: no word of an overlap twice, none lost, whatever either side made of its edge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from seqloom.batch import Hypothesis
from seqloom.tokenizer import ByteTokenizer, CharTokenizer, Tokenizer, WordTokenizer
from seqloom_audio.segments import Segment
from seqloom_speech.joining import joined
from seqloom_speech.words import Word

TEXT = "the quick brown fox jumps over the lazy dog and over the fence again"
FIRST, SECOND = Segment("talk.wav", 0.0, 12.0), Segment("talk.wav", 10.0, 22.0)
"""Two pieces that have two seconds in common."""


def tokenizer_of(name: str) -> Tokenizer:
    made: dict[str, Tokenizer] = {
        "char": CharTokenizer(normalization="nfc", min_count=1),
        "word": WordTokenizer(normalization="nfc", size=None, min_count=1),
        "byte": ByteTokenizer(),
    }
    made[name].fit([TEXT, "a b c d e f g h i j k é"])
    return made[name]


@pytest.fixture(params=["char", "word", "byte"])
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    return tokenizer_of(request.param)


def heard(tokenizer: Tokenizer, text: str, score: float = -1.0, **details: Any) -> Hypothesis:
    tokens = tuple(tokenizer.encode(text))
    scores = tuple(-0.01 * number for number in range(len(tokens) + 1))
    return Hypothesis(tokens=tokens, score=score, token_scores=scores, details=details)


def timed(tokenizer: Tokenizer, text: str, times: Sequence[float], length: float = 0.4) -> Hypothesis:
    """A piece whose words begin then, and last so long."""
    pairs = zip(text.split(), times, strict=True)
    words = tuple(Word(word, start, start + length, 0.9) for word, start in pairs)
    return heard(tokenizer, text, words=words)


def text_of(
    tokenizer: Tokenizer, *pieces: Hypothesis, segments: Sequence[Segment] = (FIRST, SECOND)
) -> str:
    return tokenizer.decode(joined(segments, pieces, tokenizer).tokens)


# Without an overlap ------------------------------------------------------------------------------------


def test_pieces_stand_one_after_another(tokenizer: Tokenizer) -> None:
    segments = [Segment("talk.wav", 10.0 * n, 10.0 * n + 10) for n in range(4)]
    found = [heard(tokenizer, text, -1.5) for text in ("the quick", "", "brown fox", "jumps")]
    whole = joined(segments, found, tokenizer)
    assert tokenizer.decode(whole.tokens) == "the quick brown fox jumps"
    assert whole.score == -6.0
    assert len(whole.token_scores) == len(whole.tokens) + 1
    assert whole.token_scores[: len(found[0].tokens)] == found[0].token_scores[:-1]
    assert whole.token_scores[-1] == found[-1].token_scores[-1]
    assert whole.details == {}


def test_nothing_is_heard_in_silence(tokenizer: Tokenizer) -> None:
    segments = [Segment("talk.wav", 0.0, 10.0), Segment("talk.wav", 10.0, 20.0)]
    whole = joined(segments, [heard(tokenizer, ""), heard(tokenizer, "")], tokenizer)
    assert (whole.tokens, whole.token_scores) == ((), (0.0,))


def test_words_have_the_times_of_the_recording(tokenizer: Tokenizer) -> None:
    segments = [Segment("talk.wav", 5.0, 10.0), Segment("talk.wav", 30.0, 40.0)]
    found = [timed(tokenizer, "the quick", [1, 2]), timed(tokenizer, "fox", [0.5])]
    whole = joined(segments, found, tokenizer)
    words = [(word.text, word.start_s, word.confidence) for word in whole.details["words"]]
    assert words == [("the", 6.0, 0.9), ("quick", 7.0, 0.9), ("fox", 30.5, 0.9)]


def test_words_that_were_kept_as_json_are_words_again(tokenizer: Tokenizer) -> None:
    plain = heard(tokenizer, "the quick", words=[["the", 1.0, 1.4, 0.9], ["quick", 2.0, 2.4, 0.9]])
    whole = joined(
        [FIRST, Segment("talk.wav", 12.0, 20.0)], [plain, timed(tokenizer, "fox", [1])], tokenizer
    )
    assert all(isinstance(word, Word) for word in whole.details["words"])


# Seams with times --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right"),
    [
        pytest.param("brown fox jumps over", "fox jumps over the lazy", id="as one"),
        pytest.param("brown fox jumps ov", "x jumps over the lazy", id="edges are torn"),
        pytest.param("brown fox jumps", "jumps over the lazy", id="one in common"),
        pytest.param("brown fox jumps over", "fix jumps over the lazy", id="one edge differs"),
    ],
)
def test_what_both_heard_is_said_once(tokenizer: Tokenizer, left: str, right: str) -> None:
    times = {"brown": 9.0, "fox": 10.0, "fix": 10.0, "x": 10.2, "jumps": 10.8, "ov": 11.5, "over": 11.5}
    times |= {"the": 12.1, "lazy": 12.6}
    one = timed(tokenizer, left, [times[word] for word in left.split()])
    other = timed(tokenizer, right, [times[word] - 10 for word in right.split()])
    assert text_of(tokenizer, one, other) == "brown fox jumps over the lazy"


def test_the_same_word_said_twice_stays_twice(tokenizer: Tokenizer) -> None:
    one = timed(tokenizer, "b a a", [9.5, 10.3, 11.3])
    other = timed(tokenizer, "a a a c", [0.35, 1.3, 2.3, 3.0])
    assert text_of(tokenizer, one, other) == "b a a a c"


def test_disagreement_neither_doubles_nor_loses(tokenizer: Tokenizer) -> None:
    """Two ways to hear one word, on either side of the middle: it is taken once."""
    one = timed(tokenizer, "a b c d", [9.0, 9.8, 10.5, 11.05])
    other = timed(tokenizer, "e f g", [0.75, 1.4, 2.4])
    found = text_of(tokenizer, one, other).split()
    assert found[:2] == ["a", "b"]
    assert found[-1] == "g"
    assert len(found) == 5  # a b, two of three that overlap each other, g


def test_a_word_across_the_middle_is_not_lost(tokenizer: Tokenizer) -> None:
    """Each side puts it where the other is in charge."""
    one = timed(tokenizer, "a b", [9.0, 10.85])
    other = timed(tokenizer, "c d", [0.7, 2.0])
    assert text_of(tokenizer, one, other) in ("a b d", "a c d")


def test_a_word_across_the_middle_is_not_doubled(tokenizer: Tokenizer) -> None:
    one = timed(tokenizer, "a b", [9.0, 10.7])
    other = timed(tokenizer, "c d", [0.85, 2.0])
    assert text_of(tokenizer, one, other) in ("a b d", "a c d")


def test_an_edge_in_which_one_heard_nothing(tokenizer: Tokenizer) -> None:
    assert text_of(tokenizer, timed(tokenizer, "a b", [8, 9]), timed(tokenizer, "c", [2.5])) == "a b c"
    nothing = heard(tokenizer, "", words=())
    assert text_of(tokenizer, nothing, timed(tokenizer, "c d", [0.5, 1.5])) == "d"
    assert text_of(tokenizer, timed(tokenizer, "c d", [10.2, 11.5]), nothing) == "c"


def test_three_pieces_share_words(tokenizer: Tokenizer) -> None:
    segments = [FIRST, SECOND, Segment("talk.wav", 20.0, 32.0)]
    found = [
        timed(tokenizer, "a b c", [9, 10.2, 11.2]),
        timed(tokenizer, "b c d e f", [0.2, 1.2, 5, 10.2, 11.2]),
        timed(tokenizer, "e f g", [0.2, 1.2, 4]),
    ]
    assert text_of(tokenizer, *found, segments=segments) == "a b c d e f g"


# Seams without times -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("the quick brown fox jumps over", "fox jumps over the lazy dog again"),
        ("the quick brown fox jumps again", "lazy jumps over the lazy dog again"),
        ("the quick brown fox", "fox jumps over the lazy dog again"),
        ("the quick brown fox jumps", "fox jumps over the lazy dog again"),
    ],
)
def test_words_are_found_without_times(tokenizer: Tokenizer, left: str, right: str) -> None:
    found = text_of(tokenizer, heard(tokenizer, left), heard(tokenizer, right))
    assert found == "the quick brown fox jumps over the lazy dog again"


def test_far_from_the_overlap_nothing_is_common(tokenizer: Tokenizer) -> None:
    """A phrase at one's beginning is not the same at the other's end."""
    left = "the lazy dog and the quick brown fox jumps over"
    right = "the fence again and again and the lazy dog"
    found = text_of(tokenizer, heard(tokenizer, left), heard(tokenizer, right))
    assert found.startswith("the lazy dog and the quick brown")
    assert found.endswith("again and again and the lazy dog")


def test_a_score_belongs_to_each_token(tokenizer: Tokenizer) -> None:
    one, other = heard(tokenizer, "the quick brown fox"), heard(tokenizer, "brown fox jumps over")
    whole = joined([FIRST, SECOND], [one, other], tokenizer)
    assert len(whole.token_scores) == len(whole.tokens) + 1
    assert whole.score == -2.0
