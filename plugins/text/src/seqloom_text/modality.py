"""Texts to token ids, token ids to vectors."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from seqloom.batch import Padded
from seqloom.errors import DataError
from seqloom.modality import Frontend, Modality
from seqloom.nn.embedding import TokenEmbedding
from seqloom.tokenizer import Tokenizer


class TextFrontend(Frontend):
    """A table lookup."""

    def __init__(self, embedding: TokenEmbedding) -> None:
        super().__init__()
        self.embedding = embedding

    def forward(self, features: Padded) -> Padded:
        return Padded(self.embedding(features.values), features.lengths)


class TextModality(Modality):
    """A text is its token ids with EOS last, which tells an encoder that nothing follows.

    Args:
        tokenizer: Of the input's slot.
        max_tokens: How many are read at most, EOS not counted; None for all.
    """

    def __init__(self, tokenizer: Tokenizer, max_tokens: int | None = None) -> None:
        self.tokenizer = tokenizer
        self.max_tokens = max_tokens

    def read(self, raw: str) -> Tensor:
        """Token ids [T] int64."""
        ids = self.tokenizer.encode(raw)
        if not ids:
            raise DataError("the text holds no token; give some text")
        return torch.from_numpy(np.array([*ids[: self.max_tokens], self.tokenizer.vocabulary.eos]))

    def augment(self, features: Tensor, generator: torch.Generator) -> Tensor:  # noqa: ARG002
        return features

    def frontend(self, width: int, embedding: TokenEmbedding | None) -> Frontend:  # noqa: ARG002
        assert embedding is not None  # noqa: S101 - the spec takes a tokenizer
        return TextFrontend(embedding)
