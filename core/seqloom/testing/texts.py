"""The contracts of what knows texts without a network: tokenizers and metrics."""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from seqloom.metrics import Metric
from seqloom.testing.plugins import pickled
from seqloom.tokenizer import Tokenizer, read_tokenizer_file, save_tokenizer

TEXTS = ("a dog runs", "a cat sleeps by the lake", "the dog sleeps", "täglich ein Vogel")
PAIRS = (
    ("a dog runs", ["a dog runs"]),
    ("a cat by the lake", ["a cat sleeps by the lake", "the cat sleeps"]),
    ("the bird", ["the dog sleeps"]),
)


class TokenizerContract(ABC):
    """What a tokenizer must do."""

    @abstractmethod
    def build(self) -> Tokenizer:
        """A new tokenizer, which has learned nothing."""

    def texts(self) -> Sequence[str]:
        """Texts to learn from, which are then known."""
        return TEXTS

    def unknown(self) -> str:
        """A text unlike those."""
        return "☂ zzyzx ☂"

    def fitted(self) -> Tokenizer:
        """A tokenizer that has learned from the texts."""
        tokenizer = self.build()
        tokenizer.fit(self.texts())
        return tokenizer

    def test_special_tokens_are_ids_of_their_own(self) -> None:
        vocabulary = self.fitted().vocabulary
        specials = {vocabulary.pad, vocabulary.bos, vocabulary.eos, vocabulary.unk}
        assert len(specials) == 4
        assert all(0 <= special < vocabulary.size for special in specials)

    def test_ids_are_of_the_vocabulary(self) -> None:
        tokenizer = self.fitted()
        vocabulary = tokenizer.vocabulary
        for text in (*self.texts(), self.unknown()):
            ids = tokenizer.encode(text)
            assert ids, f"{text!r} has no token"
            assert all(0 <= token < vocabulary.size for token in ids)
            assert not {vocabulary.pad, vocabulary.bos, vocabulary.eos} & set(ids)

    def test_a_text_written_and_read_again_is_the_same(self) -> None:
        tokenizer = self.fitted()
        for text in self.texts():
            ids = tokenizer.encode(text)
            assert tokenizer.encode(tokenizer.decode(ids)) == ids

    def test_special_tokens_are_not_text(self) -> None:
        tokenizer = self.fitted()
        vocabulary = tokenizer.vocabulary
        for text in self.texts():
            ids = tokenizer.encode(text)
            framed = [vocabulary.bos, *ids, vocabulary.eos, vocabulary.pad]
            assert tokenizer.decode(framed) == tokenizer.decode(ids)

    def test_the_same_texts_give_the_same_tokenizer(self) -> None:
        once, again = self.fitted(), self.fitted()
        assert once.state() == again.state()
        assert once.vocabulary == again.vocabulary

    def test_a_tokenizer_loaded_is_the_one_saved(self, tmp_path: Path) -> None:
        saved, loaded = self.fitted(), self.build()
        save_tokenizer(tmp_path / "tokenizer.json", "mine", {}, saved)
        loaded.restore(read_tokenizer_file(tmp_path / "tokenizer.json")[2])
        self.assert_alike(loaded, saved)

    def test_a_pickled_copy_reads_the_same(self) -> None:
        tokenizer = self.fitted()
        self.assert_alike(pickled(tokenizer), tokenizer)

    def assert_alike(self, found: Tokenizer, wanted: Tokenizer) -> None:
        """Both read and write texts in the same way."""
        assert found.vocabulary == wanted.vocabulary
        for text in (*self.texts(), self.unknown()):
            ids = wanted.encode(text)
            assert found.encode(text) == ids
            assert found.decode(ids) == wanted.decode(ids)


class MetricContract(ABC):
    """What a metric must do.

    Attributes:
        higher_is_better: Which way is up, as its spec says.
    """

    higher_is_better: bool = True

    @abstractmethod
    def build(self) -> Metric:
        """A new metric."""

    def pairs(self) -> Sequence[tuple[str, Sequence[str]]]:
        """Hypotheses, not all right, each with its references."""
        return PAIRS

    def score(self, metric: Metric, pairs: Sequence[tuple[str, Sequence[str]]]) -> float:
        """The metric's value of all pairs together."""
        return metric.value([metric.count(said, references) for said, references in pairs])

    def test_a_score_is_a_finite_number(self) -> None:
        assert math.isfinite(self.score(self.build(), self.pairs()))
        assert math.isfinite(self.score(self.build(), [("", references) for _, references in self.pairs()]))

    def test_counts_may_be_exchanged(self) -> None:
        metric = self.build()
        counts = [metric.count(said, references) for said, references in self.pairs()]
        received = json.loads(json.dumps(counts, allow_nan=False))
        assert metric.value(received) == metric.value(counts)
        assert metric.parts(received) == metric.parts(counts)

    def test_the_order_of_examples_does_not_matter(self) -> None:
        forwards = self.score(self.build(), self.pairs())
        backwards = self.score(self.build(), list(self.pairs())[::-1])
        assert math.isclose(forwards, backwards, rel_tol=1e-9, abs_tol=1e-9)

    def test_references_themselves_score_best(self) -> None:
        metric = self.build()
        best = self.score(metric, [(references[0], references) for _, references in self.pairs()])
        found = self.score(metric, self.pairs())
        assert best > found if self.higher_is_better else best < found

    def test_parts_are_whole_numbers(self) -> None:
        metric = self.build()
        parts = metric.parts([metric.count(said, references) for said, references in self.pairs()])
        assert all(isinstance(name, str) and isinstance(part, int) for name, part in parts.items())

    def test_equal_metrics_sign_alike_in_one_line(self) -> None:
        metric, other = self.build(), self.build()
        assert metric.signature() == other.signature()
        self.score(metric, self.pairs())
        self.score(other, self.pairs())
        signature = metric.signature()  # may tell how many references there were
        assert signature == other.signature()
        assert signature == " ".join(signature.split())
        assert signature
