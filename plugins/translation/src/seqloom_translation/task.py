"""What translation is: a text with EOS last to learn, a text with its score to show."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seqloom.batch import Hypothesis
from seqloom.config import DecodeConfig
from seqloom.errors import DataError
from seqloom.hooks import Options
from seqloom.task import Example, Prediction, Task
from seqloom.tokenizer import Tokenizer


class Translation(Task):
    """Text to text.

    Args:
        tokenizer: Of the target.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer

    def read_target(self, raw: str) -> Tensor:
        ids = self.tokenizer.encode(raw)
        if not ids:
            raise DataError("the target holds no token; give some text")
        return torch.from_numpy(np.array([*ids, self.tokenizer.vocabulary.eos]))

    def text(self, hypothesis: Hypothesis) -> str:
        return self.tokenizer.decode(hypothesis.tokens)

    def pieces(self, raw: dict[str, str]) -> list[dict[str, str]]:
        """A line is translated in one go: its sentences are context for each other."""
        return [raw]

    def join(self, results: Sequence[list[Hypothesis]]) -> list[Hypothesis]:
        return results[0]

    def render(self, hypothesis: Hypothesis, example: Example) -> dict[str, Any]:  # noqa: ARG002
        pieces = [self.tokenizer.decode([token]) for token in hypothesis.tokens]
        return {
            "text": self.text(hypothesis),
            "score": hypothesis.score,
            "tokens": pieces,
            "token_scores": list(hypothesis.token_scores),
        }

    def configure(self, flags: Options, decode: DecodeConfig) -> DecodeConfig:
        wanted = flags.model_dump()["attention"] is not None
        return decode.model_copy(update={"attention": True}) if wanted else decode

    def deliver(self, predictions: Sequence[Prediction], flags: Options) -> list[str]:
        folder = flags.model_dump()["attention"]
        if folder is None:
            return []
        from seqloom_translation.picture import draw_attention  # noqa: PLC0415 - matplotlib is slow

        Path(folder).mkdir(parents=True, exist_ok=True)
        files = []
        for prediction in predictions:
            file = Path(folder) / f"{prediction.example.id + 1:04d}.png"
            draw_attention(file, prediction, self.tokenizer)
            files.append(str(file))
        return files
