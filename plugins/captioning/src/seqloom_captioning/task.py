"""What captioning shows beyond text: where it looked, and sheets of pictures with their captions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import final

from seqloom.config import DecodeConfig
from seqloom.hooks import Options
from seqloom.modality import Modality
from seqloom.storage import storage_errors
from seqloom.task import Prediction, TextTask


@final
class Captioning(TextTask):
    """A picture to a sentence that says what is in it."""

    def configure(self, flags: Options, decode: DecodeConfig) -> DecodeConfig:
        wanted = flags.model_dump()["attention"] is not None
        return decode.model_copy(update={"attention": True}) if wanted else decode

    def deliver(
        self, predictions: Sequence[Prediction], flags: Options, modalities: Mapping[str, Modality]
    ) -> list[str]:
        given = flags.model_dump()
        if not any(given.values()):
            return []
        from seqloom_captioning.pages import write_attention, write_sheet  # noqa: PLC0415 - slow to import

        files: list[str] = []
        for name, write in (("attention", write_attention), ("sheet", write_sheet)):
            if given[name] is not None:
                folder = Path(given[name])
                with storage_errors(folder, "write"):
                    folder.mkdir(parents=True, exist_ok=True)
                    files += map(str, write(folder, predictions, self.tokenizer, modalities))
        return files
