"""What recognising speech is: what is said, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final

from seqloom.config import DecodeConfig
from seqloom.hooks import Options
from seqloom.modality import Modality
from seqloom.task import Prediction, TextTask
from seqloom.tokenizer import Tokenizer
from seqloom_speech.normalization import RULES


@final
class Speech(TextTask):
    """A recording to what is said in it.

    Args:
        tokenizer: Of the target.
        normalization: The name of a rule, one of :data:`RULES`, or ``none``.
    """

    def __init__(self, tokenizer: Tokenizer, normalization: str = "none") -> None:
        super().__init__(tokenizer)
        self.normalization = "" if normalization == "none" else normalization

    def normalize(self, text: str) -> str:
        return RULES[self.normalization](text) if self.normalization else text

    def configure(self, flags: Options, decode: DecodeConfig) -> DecodeConfig:  # noqa: ARG002
        return decode

    def deliver(
        self,
        predictions: Sequence[Prediction],  # noqa: ARG002
        flags: Options,  # noqa: ARG002
        modalities: Mapping[str, Modality],  # noqa: ARG002
    ) -> list[str]:
        return []
