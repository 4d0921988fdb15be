"""Text to ids and back: what each tokenizer keeps, learns, refuses and saves."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.errors import CorruptError, DataError, StorageError
from seqloom.tokenizer import (
    BOS,
    EOS,
    PAD,
    UNK,
    BpeTokenizer,
    ByteTokenizer,
    CharTokenizer,
    Tokenizer,
    UnigramTokenizer,
    WordTokenizer,
    read_tokenizer_file,
    save_tokenizer,
)

TEXTS = [
    "the cat sat on the mat",
    "the dog sat on the log, and the cat saw the dog",
    "a café <s> in Zürich",
] * 2
KINDS = [BpeTokenizer, ByteTokenizer, CharTokenizer, UnigramTokenizer, WordTokenizer]
SUBWORDS = [BpeTokenizer, UnigramTokenizer]
HARD = [
    "",
    " ",
    "  two before, two after  ",
    "a  b   c",
    "\n\n\tline\r\nbreaks\r",
    "\u2581word\u2581",
    "\u2028\x85\x0b\x0c",
    "\x00\x01\x7f\ufeff",
    "👩‍👩‍👧 🇪🇸 e\u0301",
    "<s></s><unk><pad>Ġ",
]


def fitted(kind, **options):
    tokenizer = kind(**options)
    tokenizer.fit(TEXTS)
    return tokenizer


LOSSLESS = [*(fitted(kind, size=300) for kind in SUBWORDS), ByteTokenizer()]
VERBATIM = [
    *(fitted(kind, normalization="none", size=300) for kind in SUBWORDS),
    ByteTokenizer(normalization="none"),
]


@pytest.mark.parametrize("kind", KINDS)
def test_is_a_tokenizer_with_the_special_ids(kind):
    tokenizer = fitted(kind)
    assert isinstance(tokenizer, Tokenizer)
    assert tokenizer.vocabulary[1:] == (PAD, BOS, EOS, UNK) == (0, 1, 2, 3)
    ids = tokenizer.encode("the cat saw the dog")
    assert min(ids) > UNK
    assert max(ids) < tokenizer.vocabulary.size
    assert tokenizer.decode([BOS, *ids, EOS, PAD, PAD]) == "the cat saw the dog"


@pytest.mark.parametrize("tokenizer", LOSSLESS, ids=["bpe", "unigram", "byte"])
@pytest.mark.parametrize("text", HARD)
def test_hard_texts_come_back(tokenizer, text):
    assert tokenizer.decode(tokenizer.encode(text)) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("tokenizer", VERBATIM, ids=["bpe", "unigram", "byte"])
@settings(max_examples=300, deadline=None, database=None)
@given(text=st.text(alphabet=st.one_of(st.characters(codec="utf-8"), st.sampled_from(" \n\t\r the cat▁Ġ"))))
def test_any_text_comes_back(tokenizer, text):
    assert tokenizer.decode(tokenizer.encode(text)) == text


@pytest.mark.parametrize("tokenizer", VERBATIM[:2], ids=["bpe", "unigram"])
@settings(max_examples=300, deadline=None, database=None)
@given(text=st.text(alphabet=st.sampled_from("  \n\x1c\x85\xa0\u180e\u2003't s1.éĠ")))
def test_words_apart_are_as_the_whole(tokenizer, text):
    apart = tokenizer.encode(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("seqloom.tokenizer.subwords._words", lambda text: [text])
        assert tokenizer.encode(text) == apart


@pytest.mark.parametrize("kind", SUBWORDS)
def test_of_too_many_words_the_first_are_learned(kind, monkeypatch):
    monkeypatch.setattr("seqloom.tokenizer.subwords.LEARNED", 9)
    few, first = kind(size=300), kind(size=300)
    few.fit(["one  two", "four", "five two six", "one\n two", "six"] * 3)
    first.fit(
        ["one  two", "four", "two", "one\n two", ""] + ["one  two", "four", "two", "one\n two", ""] * 2
    )
    assert few.state() == first.state()


@pytest.mark.parametrize("kind", SUBWORDS)
def test_some_words_are_remembered(kind, monkeypatch):
    monkeypatch.setattr("seqloom.tokenizer.subwords.REMEMBERED", 20)
    tokenizer = fitted(kind)
    text = " ".join(map(str, range(1000)))
    ids = tokenizer.encode(text)
    remembering = len(pickle.dumps(tokenizer))
    assert tokenizer.encode(text) == pickle.loads(pickle.dumps(tokenizer)).encode(text) == ids
    assert tokenizer.encode(f"{text} {'x' * 10_000}") == [*ids, *tokenizer.encode("x" * 10_000)]
    assert len(pickle.dumps(tokenizer)) == remembering


@pytest.mark.parametrize("tokenizer", LOSSLESS, ids=["bpe", "unigram", "byte"])
@settings(max_examples=200, deadline=None, database=None)
@given(ids=st.lists(st.integers(0, 259)))
def test_any_ids_decode(tokenizer, ids):
    assert isinstance(tokenizer.decode(ids), str)


@pytest.mark.parametrize("tokenizer", LOSSLESS, ids=["bpe", "unigram", "byte"])
def test_half_a_character_decodes_to_a_replacement(tokenizer):
    ids = tokenizer.encode("a🙂")
    assert tokenizer.decode(ids[:-1]) == "a\ufffd"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("form", "same"), [("nfc", True), ("nfkc", True), ("none", False)])
def test_normalization_acts_on_what_is_encoded(kind, form, same):
    tokenizer = fitted(kind, normalization=form)
    assert (tokenizer.encode("cafe\u0301") == tokenizer.encode("café")) is same


@pytest.mark.parametrize("kind", KINDS)
def test_casefold_joins_what_differs_in_case(kind):
    folded = fitted(kind, normalization="casefold")
    alike = ["Straße ﬁn É", "STRASSE FIN E\u0301", "strasse fin é"]
    assert len({tuple(folded.encode(text)) for text in alike}) == 1
    assert folded.decode(folded.encode("The CAT")) == "the cat"


@pytest.mark.parametrize("kind", KINDS)
def test_nfkc_joins_what_nfc_keeps_apart(kind):
    plain, compatible = fitted(kind), fitted(kind, normalization="nfkc")
    assert plain.encode("ｃat") != plain.encode("cat")
    assert compatible.encode("ｃat") == compatible.encode("cat")


@pytest.mark.parametrize("kind", [CharTokenizer, WordTokenizer])
def test_normalization_acts_on_what_is_learned(kind):
    tokenizer = kind()
    tokenizer.fit(["e\u0301"])
    assert tokenizer.state()["tokens"] == ["é"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("texts", [[], ["", " \n"]])
def test_nothing_is_learned_from_no_text(kind, texts):
    with pytest.raises(DataError, match="no text"):
        kind().fit(texts)


@pytest.mark.parametrize("kind", KINDS)
def test_half_a_surrogate_pair_is_no_text(kind):
    with pytest.raises(DataError, match=r"U\+D83D at position 1"):
        fitted(kind).encode("a\ud83d")


@pytest.mark.parametrize("kind", [*SUBWORDS, CharTokenizer, WordTokenizer])
def test_what_has_learned_nothing_says_so(kind):
    with pytest.raises(RuntimeError, match="fit"):
        kind().encode("a")
    with pytest.raises(RuntimeError, match="fit"):
        _ = kind().vocabulary


@pytest.mark.parametrize("kind", KINDS)
def test_restored_from_json_is_as_before(kind):
    tokenizer, restored = fitted(kind), kind()
    restored.restore(json.loads(json.dumps(tokenizer.state())))
    assert restored.vocabulary == tokenizer.vocabulary
    assert restored.state() == tokenizer.state()
    for text in [*TEXTS, "new words: żółw", *HARD]:
        assert restored.encode(text) == tokenizer.encode(text)
        assert restored.decode(tokenizer.encode(text)) == tokenizer.decode(tokenizer.encode(text))


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (BpeTokenizer, {}),
        (BpeTokenizer, {"tokens": ["a"], "merges": [["a", "b"]]}),
        (BpeTokenizer, {"tokens": ["a"], "merges": [["a"]]}),
        (UnigramTokenizer, {}),
        (UnigramTokenizer, {"tokens": ["a"], "scores": [-1.0]}),
        (UnigramTokenizer, {**fitted(UnigramTokenizer).state(), "scores": [-1.0]}),
        (ByteTokenizer, {"tokens": ["a"]}),
        (CharTokenizer, {}),
        (WordTokenizer, {"tokens": ["a", 1]}),
    ],
)
def test_a_state_of_something_else_is_refused(kind, state):
    with pytest.raises(CorruptError):
        kind().restore(state)


# Subwords --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SUBWORDS)
def test_a_word_is_the_same_at_the_start_and_in_the_middle(kind):
    tokenizer = fitted(kind)
    cat, sat = tokenizer.encode("cat"), tokenizer.encode("sat")
    assert tokenizer.encode("cat sat") == cat + sat
    assert len(cat) < len(" cat")


def test_bpe_size_and_min_count_limit_the_vocabulary():
    assert BpeTokenizer(size=265).fit(TEXTS) is None
    assert fitted(BpeTokenizer, size=265).vocabulary.size == 265
    assert fitted(BpeTokenizer, size=260).vocabulary.size == 260
    often, rarely = fitted(BpeTokenizer, min_count=6), fitted(BpeTokenizer, min_count=2)
    assert 260 < often.vocabulary.size < rarely.vocabulary.size < 8000


def test_unigram_size_limits_the_vocabulary():
    texts = [f"line {n} of {n * n % 97}" for n in range(300)]
    sizes = {}
    for size in (260, 280, 320):
        tokenizer = UnigramTokenizer(size=size)
        tokenizer.fit(texts)
        sizes[size] = tokenizer.vocabulary.size
    assert sizes[260] == 260 < sizes[280] <= 280 < sizes[320] <= 320


def test_unigram_takes_the_most_probable_subwords():
    """Against every split of a word, by the sum of its tokens' scores."""
    tokenizer = UnigramTokenizer(size=300)
    tokenizer.fit(TEXTS * 5)
    state = tokenizer.state()
    scores = dict(zip(state["tokens"], state["scores"], strict=True))

    def best(text):
        ends = [
            best(text[end:]) + scores[text[:end]] for end in range(1, len(text) + 1) if text[:end] in scores
        ]
        return max(ends, default=0.0)

    for word in ("the", "dog", "mats", "catlog"):
        found = [state["scores"][token - 4] for token in tokenizer.encode(word)]
        assert sum(found) == pytest.approx(best(f"Ġ{word}"))


@pytest.mark.parametrize("kind", SUBWORDS)
def test_subwords_leave_out_unknown(kind):
    tokenizer = fitted(kind)
    assert tokenizer.decode([*tokenizer.encode("the"), UNK, *tokenizer.encode("cat")]) == "the cat"


LEARN = """
import json, sys
from seqloom import tokenizer
tokenizer = getattr(tokenizer, sys.argv[1])(size=400)
tokenizer.fit(f"line {n} of {n * n % 97} with {n % 7} and {n % 13}" for n in range(2000))
print(json.dumps(tokenizer.state()))
"""


@pytest.mark.parametrize("kind", SUBWORDS)
def test_subwords_are_learned_the_same_whatever_the_threads_and_the_hash_seed(kind):
    learned = {
        subprocess.run(
            [sys.executable, "-c", LEARN, kind.__name__],
            env={**os.environ, "RAYON_NUM_THREADS": threads, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for threads, seed in [("1", "1"), ("4", "2")]
    }
    assert len(learned) == 1
    assert len(json.loads(learned.pop())["tokens"]) == 396


# Words and characters ----------------------------------------------------------------------------------


def test_words_are_learned_by_count_then_by_alphabet():
    tokenizer = WordTokenizer()
    tokenizer.fit(["b a c", "c\ta\u2003b", "d c"])
    assert tokenizer.state() == {"tokens": ["c", "a", "b", "d"]}
    assert tokenizer.encode(" a  b\nx ") == [5, 6, UNK]
    assert tokenizer.decode([5, UNK, 6]) == "a <unk> b"


def test_word_size_and_min_count_limit_the_vocabulary():
    assert fitted(WordTokenizer, size=6).state() == {"tokens": ["the", "cat"]}
    assert fitted(WordTokenizer, min_count=4).state() == {"tokens": ["the", "cat", "dog", "on", "sat"]}


def test_characters_keep_spaces_and_mark_unknowns():
    tokenizer = CharTokenizer(min_count=2)
    tokenizer.fit(["a a b b c"])
    assert tokenizer.state() == {"tokens": [" ", "a", "b"]}
    assert tokenizer.decode(tokenizer.encode("  ac ")) == "  a<unk> "


# Files -------------------------------------------------------------------------------------------------


def test_a_file_keeps_name_options_and_state(tmp_path):
    tokenizer = fitted(BpeTokenizer, size=280)
    path = tmp_path / "source.json"
    save_tokenizer(path, "bpe", {"size": 280}, tokenizer)
    assert read_tokenizer_file(path) == ("bpe", {"size": 280}, tokenizer.state())
    assert sorted(json.loads(path.read_text("utf-8"))) == ["name", "options", "state"]


def test_a_file_that_cannot_be_written_or_read_is_named(tmp_path):
    path = tmp_path / "missing" / "source.json"
    with pytest.raises(StorageError, match=r"source\.json: cannot write"):
        save_tokenizer(path, "byte", {}, ByteTokenizer())
    with pytest.raises(StorageError, match=r"source\.json: cannot read"):
        read_tokenizer_file(path)


@pytest.mark.parametrize(
    "content", [b"{", b"\xff", b"[]", b'{"name": "bpe", "options": {}}', b"[" * 100_000]
)
def test_a_file_of_something_else_is_corrupt(tmp_path, content):
    path = tmp_path / "source.json"
    path.write_bytes(content)
    with pytest.raises(CorruptError, match=r"source\.json: not a tokenizer's file"):
        read_tokenizer_file(path)
