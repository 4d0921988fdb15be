"""Error rates equal jiwer's own."""

from __future__ import annotations

import json
import random

import jiwer
import pytest
import rapidfuzz

from seqloom.errors import DataError
from seqloom.metrics import Cer, Exact, Wer

METRICS = (Cer, Wer, Exact)


def sentences(seed: int, count: int = 40) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(rng.choices(["ab", "a", "ba", "ß", "x"], k=rng.randint(1, 7))) for _ in range(count)]


def score(metric, hypotheses, *streams):
    return metric.value(
        [metric.count(said, refs) for said, *refs in zip(hypotheses, *streams, strict=True)]
    )


@pytest.mark.parametrize(("metric", "theirs"), [(Cer(), jiwer.cer), (Wer(), jiwer.wer)])
def test_error_rates_are_those_of_jiwer(metric, theirs):
    references, hypotheses = sentences(1), sentences(2)
    hypotheses[:5], hypotheses[5] = references[:5], ""
    rate = score(metric, hypotheses, references)
    assert rate == pytest.approx(100 * theirs(references, hypotheses))
    assert rate > 0


def test_a_rate_is_of_all_examples_together():
    assert Cer().count("abXd", ["abcd"]) == (1, 4)
    assert Cer().count("abcd e", ["abcde"]) == (1, 5)  # a blank too many
    assert Cer().count("", ["abcd"]) == (4, 4)
    assert Wer().count("a b c", ["a c"]) == (1, 2)
    assert Wer().value([(1, 4), (1, 1)]) == 40
    assert Wer().value([(1, 0), (2, 1)]) == 300  # nothing was said, and three words heard


def test_the_closest_reference_counts():
    assert Cer().count("abc", ["abcdefgh", "abd", "xyz"]) == (1, 3)
    assert Cer().count("abc", ["ab", "abcd"]) == (1, 4)  # of equals the longest
    assert Exact().count("abc", ["x", "abc"]) == 1


def test_exact_matches_are_a_percentage():
    assert score(Exact(), ["a", "b", "C", ""], ["a", "x", "c", ""]) == 50


@pytest.mark.parametrize("kind", METRICS)
def test_white_space_counts_as_one_blank(kind):
    perfect = score(kind(), ["a b"], ["a b"])
    assert score(kind(), [" a \t\n b"], ["a\u00a0b "]) == perfect
    assert score(kind(), ["ab"], ["a b"]) != perfect


@pytest.mark.parametrize("kind", METRICS)
@pytest.mark.parametrize(
    ("options", "said", "wanted"),
    [({"lowercase": True}, "AB c", "ab C"), ({"normalization": "nfkc"}, "ﬁn", "fin")],
)
def test_forms_that_are_asked_for_count_as_equal(kind, options, said, wanted):
    perfect = score(kind(), ["ü"], ["u\u0308"])  # one form, where nothing else is asked for
    assert score(kind(**options), [said], [wanted]) == perfect
    assert score(kind(), [said], [wanted]) != perfect
    assert score(kind(normalization="none"), ["ü"], ["u\u0308"]) != perfect


@pytest.mark.parametrize("kind", METRICS)
def test_the_signature_tells_what_was_compared(kind):
    signatures = {kind(*options).signature() for options in ((), (True,), (False, "nfkc"), (True, "none"))}
    assert len(signatures) == 4
    assert kind().signature().endswith("case:mixed|unicode:nfc|space:single" + version(kind))


def version(kind) -> str:
    return "" if kind is Exact else f"|rapidfuzz:{rapidfuzz.__version__}"


@pytest.mark.parametrize("kind", METRICS)
def test_counts_survive_json(kind):
    metric = kind()
    counts = [metric.count(said, [wanted]) for said, wanted in zip(sentences(1), sentences(2), strict=True)]
    assert metric.value(json.loads(json.dumps(counts))) == metric.value(counts)


@pytest.mark.parametrize("kind", METRICS)
def test_nothing_to_compare_is_an_error(kind):
    with pytest.raises(DataError, match="a reference for each"):
        kind().count("a", [])
    with pytest.raises(DataError, match="needs"):
        kind().value([])


@pytest.mark.parametrize("kind", [Cer, Wer])
def test_a_rate_of_empty_references_is_an_error(kind):
    with pytest.raises(DataError, match="not all empty"):
        kind().value([kind().count("a", [" "])])
