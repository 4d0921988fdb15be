"""Scores of captions are those of the COCO caption evaluation."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest

from seqloom.errors import DataError
from seqloom.metrics import Metric
from seqloom_captioning.cider import CiderD
from seqloom_captioning.overlap import CaptionBleu, RougeL, common_subsequence
from seqloom_captioning.words import words

WORDS = ["a", "the", "dog", "cat", "man", "red", "ball", "runs", "jumps", "over", "with", "near", "grass"]
ALL: list[Metric] = [*(CaptionBleu(order) for order in (1, 2, 3, 4)), RougeL(), CiderD()]


def score(metric: Metric, pairs: Sequence[tuple[str, list[str]]]) -> float:
    return metric.value([metric.count(hypothesis, references) for hypothesis, references in pairs])


def some_pairs(seed: int, count: int = 40) -> list[tuple[str, list[str]]]:
    """Captions of one to a dozen words, each with one to five references that are like it."""
    rng = random.Random(seed)

    def sentence() -> list[str]:
        return rng.choices(WORDS, k=rng.randint(1, 12))

    def varied(said: list[str]) -> str:
        return " ".join(
            word for word in said for word in [rng.choice(WORDS)] * (rng.random() < 0.3) + [word]
        )

    pairs = []
    for _ in range(count):
        said = sentence()
        references = [varied(rng.choice([said, sentence()])) for _ in range(rng.randint(1, 5))]
        pairs.append((" ".join(said), references))
    return pairs


@pytest.mark.parametrize("seed", range(5))
def test_they_are_those_of_pycocoevalcap(seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pycocoevalcap", reason="pip install --no-deps pycocoevalcap")
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    pairs = some_pairs(seed)
    said = {number: [hypothesis] for number, (hypothesis, _) in enumerate(pairs)}
    wanted = {number: references for number, (_, references) in enumerate(pairs)}
    expected = [*Bleu(4).compute_score(wanted, said, verbose=0)[0]]
    expected += [part.compute_score(wanted, said)[0] for part in (Rouge(), Cider())]
    found = [score(metric, pairs) / 100 for metric in ALL]
    assert found == pytest.approx(expected, abs=1e-6)
    assert min(expected) > 0.05


def test_words_are_lower_case_without_punctuation() -> None:
    text = "A man's  well-known “Dog”, isn't it?! — O'Neil’s no. 3 …"
    assert words(text) == ["a", "man's", "well-known", "dog", "isn't", "it", "o'neil’s", "no", "3"]


@pytest.mark.parametrize("metric", ALL)
def test_case_and_punctuation_change_no_score(metric: Metric) -> None:
    pairs = some_pairs(1)
    spelt = [(f"{said.capitalize()}.", [f"“{one.upper()}” !" for one in wanted]) for said, wanted in pairs]
    assert score(metric, spelt) == pytest.approx(score(metric, pairs))
    assert metric.signature().startswith("tok:lower-case words|")


@pytest.mark.parametrize("metric", ALL)
def test_the_ends_of_the_scale(metric: Metric) -> None:
    own = ["a red dog runs over the grass", "the man jumps near a ball with a cat"]
    assert score(metric, [(one, [one]) for one in own]) == pytest.approx(1000 if metric is ALL[-1] else 100)
    assert score(metric, [(one, ["nothing else but that here"]) for one in own]) == 0
    assert score(metric, [("", [one]) for one in own]) == 0
    assert score(metric, [("...", ["?"]), (own[0], ["!"])]) == 0


@pytest.mark.parametrize("metric", ALL)
def test_a_score_needs_references(metric: Metric) -> None:
    with pytest.raises(DataError, match="at least one hypothesis, and a reference for each"):
        metric.count("a", [])
    with pytest.raises(DataError, match="at least one hypothesis"):
        metric.value([])


def test_bleu_by_hand() -> None:
    pairs: Any = [("the the the cat", ["the cat sat", "a cat on the mat by the door"])]
    counted = ALL[1].count(*pairs[0])
    assert counted == (4, 3, (3, 1), (4, 3))  # `the` twice and `cat`; `the cat`
    assert score(ALL[1], pairs) == pytest.approx(100 * (3 / 4 * 1 / 3) ** 0.5)


def test_a_short_caption_pays_for_its_brevity() -> None:
    short = score(ALL[0], [("a dog", ["a dog runs here"])])
    assert short == pytest.approx(100 * 2.718281828 ** (1 - 4 / 2))


def test_rouge_by_hand() -> None:
    assert common_subsequence(["a", "b", "c", "d", "e"], ["b", "x", "d", "a", "e"]) == 3
    precision, recall = 2 / 3, 2 / 4
    expected = 100 * (1 + 1.44) * precision * recall / (recall + 1.44 * precision)
    assert score(ALL[4], [("a dog runs", ["a runs to here"])]) == pytest.approx(expected)


def test_what_everybody_says_counts_for_nothing() -> None:
    pairs = [("a dog", ["a dog"]), ("a cat", ["a cat"]), ("a", ["a man"])]
    first, _, last = (score(CiderD(), [pair, *(p for p in pairs if p is not pair)]) for pair in pairs)
    assert first == last  # whichever comes first
    assert score(CiderD(), [("a", ["a man"]), ("a", ["a dog"])]) == 0
