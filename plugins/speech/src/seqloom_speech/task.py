"""What recognising speech is: what is said, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final

from seqloom.config import DecodeConfig
from seqloom.hooks import Options
from seqloom.modality import Modality
from seqloom.task import Prediction, TextTask


@final
class Speech(TextTask):
    """A recording to what is said in it."""

    def configure(self, flags: Options, decode: DecodeConfig) -> DecodeConfig:  # noqa: ARG002
        return decode

    def deliver(
        self,
        predictions: Sequence[Prediction],  # noqa: ARG002
        flags: Options,  # noqa: ARG002
        modalities: Mapping[str, Modality],  # noqa: ARG002
    ) -> list[str]:
        return []
