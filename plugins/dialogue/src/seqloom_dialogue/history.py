"""What does a model see of a conversation? The newest turns, each with a mark of who says it."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor

from seqloom.modality import Frontend, Modality
from seqloom.nn.embedding import TokenEmbedding
from seqloom.tokenizer import Tokenizer
from seqloom_dialogue.turns import read_turns, write_turns
from seqloom_text.modality import TextModality


@final
class HistoryModality(Modality):
    """The newest turns of a conversation, read as the text that they make with their marks.

    Args:
        tokenizer: Of the input's slot; a mark is text to it.
        turns: How many turns are seen at most; None for all.
        tokens: How many tokens are seen at most, EOS not counted; None for all.
    """

    varies = False

    def __init__(self, tokenizer: Tokenizer, turns: int | None, tokens: int | None) -> None:
        self._text = TextModality(tokenizer)
        self._turns = turns
        self._tokens = tokens

    def read(self, raw: str) -> Tensor:
        """Token ids [T] int64, EOS last; of a newest turn that is too long by itself, its end."""
        turns = read_turns(raw)
        first = 0 if self._turns is None else max(0, len(turns) - self._turns)
        ids = self._text.read(write_turns(turns[first:]))
        if self._tokens is None:
            return ids
        while len(ids) > self._tokens + 1 and first < len(turns) - 1:
            first += 1
            ids = self._text.read(write_turns(turns[first:]))
        return ids[-self._tokens - 1 :]

    def augment(self, features: Tensor, generator: torch.Generator) -> Tensor:
        return self._text.augment(features, generator)

    def frontend(self, width: int, embedding: TokenEmbedding | None) -> Frontend:
        return self._text.frontend(width, embedding)
