"""Text as a modality: ids with EOS last, looked up in a table."""

from __future__ import annotations

import pytest
import torch

from seqloom.batch import Padded
from seqloom.errors import DataError
from seqloom.nn.embedding import TokenEmbedding
from seqloom.tokenizer import WordTokenizer
from seqloom_text.modality import TextModality


@pytest.fixture
def modality() -> TextModality:
    tokenizer = WordTokenizer(normalization="nfc", size=None, min_count=1)
    tokenizer.fit(["ein Hund läuft"])
    return TextModality(tokenizer)


def test_a_text_is_its_tokens_with_eos_last(modality: TextModality) -> None:
    ids = modality.read("ein Hund").tolist()
    assert ids == [*modality.tokenizer.encode("ein Hund"), modality.tokenizer.vocabulary.eos]


def test_a_text_without_tokens_is_refused(modality: TextModality) -> None:
    with pytest.raises(DataError, match="the text holds no token"):
        modality.read("   ")


def test_nothing_is_varied(modality: TextModality) -> None:
    ids = modality.read("ein Hund")
    assert torch.equal(modality.augment(ids, torch.Generator()), ids)


def test_the_front_end_looks_up(modality: TextModality) -> None:
    vocabulary = modality.tokenizer.vocabulary
    embedding = TokenEmbedding(vocabulary.size, 6, vocabulary.pad)
    ids = modality.read("ein Hund")[None]
    found = modality.frontend(6, embedding)(Padded(ids, torch.tensor([3])))
    assert found.values.shape == (1, 3, 6)
    assert torch.equal(found.values, embedding(ids))
    assert found.lengths.tolist() == [3]
