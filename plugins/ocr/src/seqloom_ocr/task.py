"""What reading a line is: its text, and nothing beyond that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final

from seqloom.config import DecodeConfig
from seqloom.hooks import Options
from seqloom.modality import Modality
from seqloom.task import Prediction, TextTask


@final
class LineReading(TextTask):
    """A text line's picture to its text; a line is read in one go."""

    def configure(self, flags: Options, decode: DecodeConfig) -> DecodeConfig:  # noqa: ARG002
        return decode

    def deliver(
        self,
        predictions: Sequence[Prediction],  # noqa: ARG002
        flags: Options,  # noqa: ARG002
        modalities: Mapping[str, Modality],  # noqa: ARG002
    ) -> list[str]:
        return []
