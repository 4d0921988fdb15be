"""Sound as a modality: recordings, or segments of them, as spectra over time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from seqloom.hooks import ModalitySpec, hookimpl
from seqloom_audio.formats import SUFFIXES
from seqloom_audio.options import AudioOptions

if TYPE_CHECKING:
    from seqloom.modality import Modality
    from seqloom.tokenizer import Tokenizer

seqloom_api = 1


def _load() -> Callable[[AudioOptions, Tokenizer | None], Modality]:
    from seqloom_audio.build import build  # noqa: PLC0415

    return lambda options, tokenizer: build(options)  # noqa: ARG005 - it takes none


@hookimpl
def seqloom_modalities() -> Sequence[ModalitySpec[Any]]:
    """Sound."""
    return [
        ModalitySpec(
            name="audio",
            summary="Sound: WAV, FLAC, OGG, MP3",
            options=AudioOptions,
            load=_load,
            files=tuple(SUFFIXES),
            medium="audio",
            fragment="t",
            pools_by=lambda options: options.pools_by,
        )
    ]
