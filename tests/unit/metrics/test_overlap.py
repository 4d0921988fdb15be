"""Scores equal sacrebleu's own, and their signatures say how they were computed."""

from __future__ import annotations

import json

import pytest
import sacrebleu
from sacrebleu.metrics import CHRF

from seqloom.errors import DataError
from seqloom.metrics import Bleu, Chrf

HYPOTHESES = ["The cat sits on the mat .", "a Dog runs over the green hill", "nothing alike here at all"]
FIRST = ["The cat sat on the mat .", "A dog runs over a green hill", "Something else altogether, I fear"]
SECOND = ["A cat is sitting on the mat .", "the dog is running over the hill", "Another thing"]
VERSION = f"version:{sacrebleu.__version__}"


def counts_of(metric, *streams):
    return [
        metric.count(hypothesis, references)
        for hypothesis, *references in zip(HYPOTHESES, *streams, strict=True)
    ]


@pytest.mark.parametrize("streams", [[FIRST], [FIRST, SECOND]], ids=["one", "two"])
@pytest.mark.parametrize("lowercase", [False, True])
@pytest.mark.parametrize("tokenize", ["13a", "none", "intl", "char", "zh"])
def test_bleu_is_that_of_sacrebleu(streams, lowercase, tokenize):
    metric = Bleu(lowercase=lowercase, tokenize=tokenize)
    theirs = sacrebleu.corpus_bleu(HYPOTHESES, streams, lowercase=lowercase, tokenize=tokenize, force=True)
    assert metric.value(counts_of(metric, *streams)) == theirs.score
    assert 0 < theirs.score < 100
    case = "lc" if lowercase else "mixed"
    expected = f"nrefs:{len(streams)}|case:{case}|eff:no|tok:{tokenize}|smooth:exp|{VERSION}"
    assert metric.signature() == expected


@pytest.mark.parametrize("streams", [[FIRST], [FIRST, SECOND]], ids=["one", "two"])
@pytest.mark.parametrize("lowercase", [False, True])
@pytest.mark.parametrize("word_order", [0, 2])
def test_chrf_is_that_of_sacrebleu(streams, lowercase, word_order):
    metric = Chrf(lowercase=lowercase, word_order=word_order)
    theirs = CHRF(lowercase=lowercase, word_order=word_order).corpus_score(HYPOTHESES, streams)
    assert metric.value(counts_of(metric, *streams)) == theirs.score
    case = "lc" if lowercase else "mixed"
    expected = f"nrefs:{len(streams)}|case:{case}|eff:yes|nc:6|nw:{word_order}|space:no|{VERSION}"
    assert metric.signature() == expected


@pytest.mark.parametrize("metric", [Bleu(), Chrf()])
def test_examples_may_have_different_numbers_of_references(metric):
    references = [FIRST[:1], [FIRST[1], HYPOTHESES[1]], FIRST[2:]]
    value = metric.value([metric.count(h, r) for h, r in zip(HYPOTHESES, references, strict=True)])
    assert metric.signature().startswith("nrefs:var|")
    assert value > metric.value(counts_of(metric, FIRST))
    assert metric.signature().startswith("nrefs:1|")


@pytest.mark.parametrize("kind", [Bleu, Chrf])
def test_it_signs_for_one_reference_before_it_has_scored(kind):
    fresh, used = kind(), kind()
    used.value(counts_of(used, FIRST))
    assert fresh.signature() == used.signature()


@pytest.mark.parametrize("metric", [Bleu(), Chrf()])
def test_counts_survive_json(metric):
    counts = counts_of(metric, FIRST, SECOND)
    assert metric.value(json.loads(json.dumps(counts))) == metric.value(counts)


@pytest.mark.parametrize("metric", [Bleu(), Chrf()])
@pytest.mark.parametrize("counts", [[], [("a", ["a"]), ("b", [])]])
def test_nothing_to_compare_is_an_error(metric, counts):
    with pytest.raises(DataError, match="at least one"):
        metric.value(counts)


@pytest.mark.parametrize("metric", [Bleu(), Chrf()])
def test_the_extremes(metric):
    assert metric.value([("a b c d e", ["a b c d e"])]) == pytest.approx(100)
    assert metric.value([("", ["a b c d e"])]) == 0


def test_tokenized_full_stops_pass_without_a_warning(caplog):
    metric = Bleu()
    assert metric.value([metric.count("a b c d .", ["a b c d ."])] * 100) == pytest.approx(100)
    assert not caplog.records
