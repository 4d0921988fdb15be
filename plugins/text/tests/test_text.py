"""Text as a modality: ids with EOS last, looked up in a table."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
import torch

from seqloom.batch import Padded
from seqloom.errors import DataError
from seqloom.nn.embedding import TokenEmbedding
from seqloom.testing import ModalityContract
from seqloom.tokenizer import WordTokenizer
from seqloom_text.modality import TextModality


def build() -> TextModality:
    tokenizer = WordTokenizer(normalization="nfc", size=None, min_count=1)
    tokenizer.fit(["ein Hund läuft"])
    return TextModality(tokenizer)


def table(modality: TextModality, width: int) -> TokenEmbedding:
    vocabulary = modality.tokenizer.vocabulary
    return TokenEmbedding(vocabulary.size, width, vocabulary.pad)


class TestContract(ModalityContract):
    module = "seqloom_text"

    def build(self) -> TextModality:
        return build()

    def raws(self, tmp_path: Path) -> Iterable[str]:
        return ["ein Hund läuft", "Hund", "eine Katze läuft ein Hund", "läuft ein"]

    def embedding(self) -> TokenEmbedding:
        return table(build(), self.width)


def test_a_text_is_its_tokens_with_eos_last() -> None:
    modality = build()
    ids = modality.read("ein Hund").tolist()
    assert ids == [*modality.tokenizer.encode("ein Hund"), modality.tokenizer.vocabulary.eos]


def test_a_text_without_tokens_is_refused() -> None:
    with pytest.raises(DataError, match="the text holds no token"):
        build().read("   ")


@pytest.mark.parametrize(("most", "read"), [(None, 5), (5, 5), (4, 4), (1, 1)])
def test_the_first_tokens_alone_may_be_read(most: int | None, read: int) -> None:
    text = "ein Hund läuft ein Hund"
    tokenizer = build().tokenizer
    ids = TextModality(tokenizer, most).read(text).tolist()
    assert ids == [*tokenizer.encode(text)[:read], tokenizer.vocabulary.eos]


def test_nothing_is_varied() -> None:
    ids = build().read("ein Hund")
    assert torch.equal(build().augment(ids, torch.Generator()), ids)


def test_the_front_end_looks_up() -> None:
    modality = build()
    embedding = table(modality, 6)
    ids = modality.read("ein Hund")[None]
    found = modality.frontend(6, embedding)(Padded(ids, torch.tensor([3])))
    assert torch.equal(found.values, embedding(ids))
    assert found.lengths.tolist() == [3]
