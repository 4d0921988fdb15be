"""What a model sees of a conversation: its newest turns, each with its mark."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from seqloom.errors import DataError
from seqloom.nn.embedding import TokenEmbedding
from seqloom.testing import ModalityContract
from seqloom.tokenizer import WordTokenizer
from seqloom_dialogue.history import HistoryModality
from seqloom_dialogue.turns import Turn, read_turns, write_turns

HISTORY = "<user> a b <system> c <user> d e f"


def build(turns: int | None = None, tokens: int | None = None) -> HistoryModality:
    tokenizer = WordTokenizer(normalization="nfc", size=None, min_count=1)
    tokenizer.fit([HISTORY])
    return HistoryModality(tokenizer, turns, tokens)


def seen(history: str, turns: int | None = None, tokens: int | None = None) -> str:
    tokenizer = WordTokenizer(normalization="nfc", size=None, min_count=1)
    tokenizer.fit([HISTORY])
    ids = HistoryModality(tokenizer, turns, tokens).read(history).tolist()
    assert ids[-1] == tokenizer.vocabulary.eos
    return tokenizer.decode(ids[:-1])


class TestContract(ModalityContract):
    module = "seqloom_dialogue"

    def build(self) -> HistoryModality:
        return build(turns=2, tokens=7)

    def raws(self, tmp_path: Path) -> Iterable[str]:
        return [HISTORY, "a", "<user> a b", "<system> c <user> a b c d e f"]

    def embedding(self) -> TokenEmbedding:
        tokenizer = WordTokenizer(normalization="nfc", size=None, min_count=1)
        tokenizer.fit([HISTORY])
        return TokenEmbedding(tokenizer.vocabulary.size, self.width, tokenizer.vocabulary.pad)


def test_turns_are_between_marks() -> None:
    assert read_turns(HISTORY) == [Turn("user", "a b"), Turn("system", "c"), Turn("user", "d e f")]
    assert read_turns("  a \t b ") == [Turn("user", "a b")]
    assert read_turns("a<system>b") == [Turn("user", "a"), Turn("system", "b")]
    assert read_turns("<user> <system> <b> <User>") == [Turn("system", "<b> <User>")]
    assert read_turns(" <user> ") == []


def test_turns_written_are_the_turns() -> None:
    turns = [Turn("system", "Hello."), Turn("user", "a b"), Turn("user", "c")]
    assert write_turns(turns) == "<system> Hello. <user> a b <user> c"
    assert read_turns(write_turns(turns)) == turns


def test_a_text_without_a_mark_is_the_users() -> None:
    assert seen("a b") == "<user> a b"


@pytest.mark.parametrize(
    ("turns", "kept"),
    [(None, HISTORY), (3, HISTORY), (2, "<system> c <user> d e f"), (1, "<user> d e f"), (9, HISTORY)],
)
def test_the_newest_turns_are_seen(turns: int | None, kept: str) -> None:
    assert seen(HISTORY, turns=turns) == kept


@pytest.mark.parametrize(
    ("tokens", "kept"),
    [
        (None, HISTORY),
        (9, HISTORY),
        (8, "<system> c <user> d e f"),
        (6, "<system> c <user> d e f"),
        (5, "<user> d e f"),
        (4, "<user> d e f"),
        (3, "d e f"),
        (1, "f"),
    ],
)
def test_the_oldest_turns_go_as_a_whole_and_the_end_of_the_newest_stays(
    tokens: int | None, kept: str
) -> None:
    assert seen(HISTORY, tokens=tokens) == kept


def test_both_limits_hold() -> None:
    assert seen(HISTORY, turns=2, tokens=5) == "<user> d e f"
    assert seen(HISTORY, turns=1, tokens=9) == "<user> d e f"


def test_a_conversation_in_which_nothing_is_said_is_refused() -> None:
    with pytest.raises(DataError, match="the text holds no token"):
        build().read("<user> ")
