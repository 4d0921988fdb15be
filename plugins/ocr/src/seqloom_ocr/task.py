"""What reading a line is: a text to learn, a text with its score to show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from seqloom.batch import Hypothesis
from seqloom.config import DecodeConfig
from seqloom.errors import DataError
from seqloom.hooks import Options
from seqloom.task import Example, Prediction, Task
from seqloom.tokenizer import Tokenizer


class LineReading(Task):
    """A text line's picture to its text.

    Args:
        tokenizer: Of the text.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer

    def read_target(self, raw: str) -> Tensor:
        ids = self.tokenizer.encode(raw)
        if not ids:
            raise DataError("the target holds no token; give the line's text")
        return torch.tensor([*ids, self.tokenizer.vocabulary.eos])

    def text(self, hypothesis: Hypothesis) -> str:
        return self.tokenizer.decode(hypothesis.tokens)

    def pieces(self, raw: dict[str, str]) -> list[dict[str, str]]:
        """A line is read in one go."""
        return [raw]

    def join(self, results: Sequence[list[Hypothesis]]) -> list[Hypothesis]:
        return results[0]

    def render(self, hypothesis: Hypothesis, example: Example) -> dict[str, Any]:  # noqa: ARG002
        return {
            "text": self.text(hypothesis),
            "score": hypothesis.score,
            "tokens": [self.tokenizer.decode([token]) for token in hypothesis.tokens],
            "token_scores": list(hypothesis.token_scores),
        }

    def configure(self, flags: Options, decode: DecodeConfig) -> DecodeConfig:  # noqa: ARG002
        return decode

    def deliver(self, predictions: Sequence[Prediction], flags: Options) -> list[str]:  # noqa: ARG002
        return []
