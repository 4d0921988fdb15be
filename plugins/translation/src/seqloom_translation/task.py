"""What translation shows beyond text: a picture of what each word looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import final

from seqloom.config import DecodeConfig
from seqloom.hooks import Options
from seqloom.modality import Modality
from seqloom.task import Prediction, TextTask


@final
class Translation(TextTask):
    """Text to text; a line is translated in one go, as its sentences are context for each other."""

    def configure(self, flags: Options, decode: DecodeConfig) -> DecodeConfig:
        wanted = flags.model_dump()["attention"] is not None
        return decode.model_copy(update={"attention": True}) if wanted else decode

    def deliver(
        self,
        predictions: Sequence[Prediction],
        flags: Options,
        modalities: Mapping[str, Modality],  # noqa: ARG002 - its own tokens say what it saw
    ) -> list[str]:
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
