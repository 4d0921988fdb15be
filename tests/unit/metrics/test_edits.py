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
KINDS = ("hits", "substitutions", "deletions", "insertions")


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


@pytest.mark.parametrize(
    ("metric", "theirs"), [(Cer(), jiwer.process_characters), (Wer(), jiwer.process_words)]
)
def test_kinds_of_errors_are_those_of_jiwer(metric, theirs):
    references, hypotheses = sentences(3, 300), sentences(4, 300)
    hypotheses[:5], hypotheses[5] = references[:5], ""
    counts = [metric.count(said, [wanted]) for said, wanted in zip(hypotheses, references, strict=True)]
    for said, wanted, count in zip(hypotheses, references, counts, strict=True):
        found = theirs(wanted, said)
        assert count == tuple(getattr(found, kind) for kind in KINDS)
    found, parts = theirs(references, hypotheses), metric.parts(counts)
    assert list(parts)[1:] == list(KINDS)
    assert min(parts.values()) > 0
    assert {kind: parts[kind] for kind in KINDS} == {kind: getattr(found, kind) for kind in KINDS}
    unit = {Cer: "characters", Wer: "words"}[type(metric)]
    assert parts[unit] == found.hits + found.substitutions + found.deletions


def test_a_rate_is_of_all_examples_together():
    assert Cer().count("abXd", ["abcd"]) == (3, 1, 0, 0)
    assert Cer().count("abcd e", ["abcde"]) == (5, 0, 0, 1)  # a blank too many
    assert Cer().count("", ["abcd"]) == (0, 0, 4, 0)
    assert Wer().count("a b c", ["a c"]) == (2, 0, 0, 1)
    assert Wer().value([(3, 0, 1, 0), (0, 1, 0, 0)]) == 40
    assert Wer().value([(0, 0, 0, 1), (0, 1, 0, 1)]) == 300  # nothing was said, and three words heard


def test_the_closest_reference_counts():
    assert Cer().count("abc", ["abcdefgh", "abd", "xyz"]) == (2, 1, 0, 0)
    assert Cer().count("abc", ["ab", "abcd"]) == (3, 0, 1, 0)  # of equals the longest
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
    told = json.loads(json.dumps(counts))
    assert metric.value(told) == metric.value(counts)
    assert metric.parts(told) == metric.parts(counts)


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
