"""ROUGE is rouge-score's, of the best reference, and says how it was counted."""

from __future__ import annotations

import pytest

from seqloom.catalog import Catalog
from seqloom.errors import DataError
from seqloom.metrics import Metric
from seqloom_summarization.rouge import Rouge

KINDS = ["rouge1", "rouge2", "rougeL"]


def score(metric: Metric, *pairs: tuple[str, list[str]]) -> float:
    return metric.value([metric.count(said, references) for said, references in pairs])


@pytest.mark.parametrize(
    ("kind", "shared", "of_said", "of_wanted"),
    [("rouge1", 3, 4, 5), ("rouge2", 1, 3, 4), ("rougeL", 2, 4, 5)],
)
def test_it_is_f_of_what_is_shared(kind: str, shared: int, of_said: int, of_wanted: int) -> None:
    precision, recall = shared / of_said, shared / of_wanted
    expected = 200 * precision * recall / (precision + recall)
    assert score(Rouge(kind), ("the cat sat down", ["down by the cat there"])) == pytest.approx(expected)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_a_mean_over_texts_of_the_best_reference(kind: str) -> None:
    best = ("a red cat", ["nothing like it", "A red cat."])
    none = ("a red cat", ["blue dogs"])
    metric = Rouge(kind)
    assert score(metric, best) == pytest.approx(100)
    assert score(metric, none) == 0
    assert score(metric, best, none) == pytest.approx(50)
    assert score(metric, ("", ["a red cat"])) == 0
    assert score(metric, ("a cat", ["?!"])) == 0


def test_a_score_needs_references() -> None:
    with pytest.raises(DataError, match="at least one hypothesis, and a reference for each"):
        Rouge("rouge1").count("a", [])
    with pytest.raises(DataError, match="at least one hypothesis"):
        Rouge("rouge1").value([])


def test_endings_count_where_they_are_asked_for() -> None:
    pair = ("cats running", ["cat runs"])
    assert score(Rouge("rouge1"), pair) == pytest.approx(100)
    assert score(Rouge("rouge1", stem=False), pair) == 0
    assert score(Rouge("rouge1", stem=False, unicode=True), pair) == 0
    assert score(Rouge("rouge1", unicode=True), pair) == pytest.approx(100)


def test_words_may_be_of_any_script() -> None:
    pair = ("кошка спит", ["Кошка не спит"])
    assert score(Rouge("rouge1"), pair) == 0
    assert score(Rouge("rouge1", unicode=True), pair) == pytest.approx(80)
    other = ("Bären", ["Büren"])  # to ROUGE-1.5.5 both are `b` and `ren`
    assert score(Rouge("rouge1"), other) > 0
    assert score(Rouge("rouge1", unicode=True), other) == 0


def test_the_signature_tells_how() -> None:
    options = [{}, {"stem": False}, {"unicode": True}]
    signatures = [Rouge(kind, **some).signature() for kind in KINDS for some in options]
    assert len(set(signatures)) == 9
    assert signatures[6].startswith("type:L|f:1|refs:best|stem:porter|words:a-z0-9|rouge-score:0.1.")


@pytest.mark.parametrize("kind", KINDS)
def test_a_job_names_it_in_small_letters(kind: str) -> None:
    catalog = Catalog.from_environment()
    options = catalog.get("metric", kind.lower()).options(stem=False)
    metric = catalog.load("metric", kind.lower())(options)
    assert metric.signature() == Rouge(kind, stem=False).signature()
