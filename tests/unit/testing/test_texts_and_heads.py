"""Broken tokenizers, metrics and heads are refused: each below fails at least the test named."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from seqloom.batch import Hypothesis, Loss
from seqloom.head import Head
from seqloom.metrics import Exact
from seqloom.testing import HeadContract, MetricContract, TokenizerContract, hints
from seqloom.tokenizer import WordTokenizer


class Words(WordTokenizer):
    """Keeps the contract; its subclasses below each break it in one way."""

    def __init__(self) -> None:
        super().__init__(normalization="nfc", size=None, min_count=1)


class SaysBos(Words):
    def encode(self, text):
        return [self.vocabulary.bos, *super().encode(text)]


class SharesPad(Words):
    @property
    def vocabulary(self):
        found = super().vocabulary
        return type(found)(size=found.size, pad=found.eos, bos=found.bos, eos=found.eos, unk=found.unk)


class LosesCase(Words):
    def decode(self, ids):
        return super().decode(ids).upper()


class WritesSpecials(Words):
    def decode(self, ids):
        return super().decode(ids) + ("." if self.vocabulary.bos in ids else "")


class LearnsAtRandom(Words):
    def fit(self, texts):
        super().fit([*texts, f"word{torch.randint(10**9, ()).item()}"])


class ForgetsAll(Words):
    def restore(self, state):
        self.fit(["a cat"])


class HoldsAFunction(Words):
    def __init__(self):
        super().__init__()
        self.function = lambda text: text


@pytest.mark.parametrize(
    ("tokenizer", "wanted"),
    [
        (SaysBos, "ids_are_of_the_vocabulary"),
        (SharesPad, "special_tokens_are_ids_of_their_own"),
        (LosesCase, "a_text_written_and_read_again_is_the_same"),
        (WritesSpecials, "special_tokens_are_not_text"),
        (LearnsAtRandom, "the_same_texts_give_the_same_tokenizer"),
        (ForgetsAll, "a_tokenizer_loaded_is_the_one_saved"),
        (HoldsAFunction, "a_pickled_copy_reads_the_same"),
    ],
)
def test_a_broken_tokenizer_is_refused(tokenizer, wanted, failures):
    assert wanted in failures(TokenizerContract, build=lambda self: tokenizer())


class Wrong(Exact):
    """Keeps the contract of one that goes down; broken in other ways below."""

    def value(self, counts):
        return 100 - super().value(counts)


class NoNumber(Exact):
    def value(self, counts):
        return float("nan")


class CountsSets(Exact):
    def count(self, hypothesis, references):
        return {super().count(hypothesis, references)}

    def value(self, counts):
        return super().value([next(iter(count)) for count in counts])


class FirstCounts(Exact):
    def value(self, counts):
        return 100.0 * counts[0]


class HalfParts(Exact):
    def parts(self, counts):
        return {"texts": 0.5}


class SignsAnew(Exact):
    def signature(self):
        return f"object:{id(self)}"


@pytest.mark.parametrize(
    ("metric", "wanted"),
    [
        (Wrong, "references_themselves_score_best"),
        (NoNumber, "a_score_is_a_finite_number"),
        (CountsSets, "counts_may_be_exchanged"),
        (FirstCounts, "the_order_of_examples_does_not_matter"),
        (HalfParts, "parts_are_whole_numbers"),
        (SignsAnew, "equal_metrics_sign_alike_in_one_line"),
    ],
)
def test_a_broken_metric_is_refused(metric, wanted, failures):
    assert wanted in failures(MetricContract, build=lambda self: metric())


def test_lower_may_be_better(failures):
    assert failures(MetricContract, build=lambda self: Wrong(), higher_is_better=False) == set()


class MeanHead(Head[Hypothesis]):
    """Says the sum of a projected memory; keeps the contract, and its subclasses break it."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(16, 1)

    def said(self, memory):
        values = self.layer(memory.values)[..., 0]
        return (values * memory.mask()).sum(1)

    def forward(self, memory, batch, progress):
        wanted = (batch.target.values * batch.target.mask()).sum(1)
        total = (self.said(memory) - wanted).square().sum()
        return Loss(total, torch.tensor(len(wanted)), {"squares": total.detach()})

    def check(self, options):
        return

    def predict(self, memory, options):
        return [[self.hypothesis(value)] for value in self.said(memory).tolist()]

    def hypothesis(self, value):
        return Hypothesis(tokens=(), score=value, token_scores=())


class MeansOverTheBatch(MeanHead):
    def forward(self, memory, batch, progress):
        loss = super().forward(memory, batch, progress)
        return loss._replace(total=loss.total / len(memory.values))


class KeepsTheGraph(MeanHead):
    def forward(self, memory, batch, progress):
        loss = super().forward(memory, batch, progress)
        return loss._replace(parts={"squares": loss.total})


class HearsPadding(MeanHead):
    def said(self, memory):
        return self.layer(memory.values)[..., 0].sum(1)


class WorstFirst(MeanHead):
    def predict(self, memory, options):
        return [
            [self.hypothesis(value), self.hypothesis(value + 1)] for value in self.said(memory).tolist()
        ]


@pytest.mark.parametrize(
    ("head", "wanted"),
    [
        (MeanHead, set()),
        (MeansOverTheBatch, {"losses_of_examples_add_up_to_that_of_the_batch"}),
        (KeepsTheGraph, {"a_loss_is_sums"}),
        (HearsPadding, {"a_source_alone_is_predicted_as_in_a_batch"}),
        (WorstFirst, {"predictions_are_one_list_a_source_best_first"}),
    ],
)
def test_a_broken_head_is_refused(head, wanted, failures):
    failed = failures(HeadContract, build=lambda self: head())
    assert wanted <= failed
    assert wanted or not failed


def test_every_hint_is_of_a_test() -> None:
    from seqloom import testing
    from seqloom.testing.generic import CopyContract

    contracts: list[Any] = [getattr(testing, name) for name in testing.__all__ if name.endswith("Contract")]
    tests = {name for contract in (*contracts, CopyContract) for name in dir(contract)}
    assert set(hints.HINTS) - {"test_a_model_folder_is_the_same_when_loaded"} <= tests
