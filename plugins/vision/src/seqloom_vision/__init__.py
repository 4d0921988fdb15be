"""Pictures as a modality: whole ones as grids of vectors, text lines as sequences of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from seqloom.hooks import ModalitySpec, hookimpl
from seqloom_vision.formats import SUFFIXES
from seqloom_vision.options import ImageOptions

if TYPE_CHECKING:
    from seqloom.modality import Modality
    from seqloom.tokenizer import Tokenizer

seqloom_api = 1


def _load() -> Callable[[ImageOptions, Tokenizer | None], Modality]:
    from seqloom_vision.build import build  # noqa: PLC0415

    return lambda options, tokenizer: build(options)  # noqa: ARG005 - it takes none


@hookimpl
def seqloom_modalities() -> Sequence[ModalitySpec[Any]]:
    """Pictures."""
    return [
        ModalitySpec(
            name="image",
            summary="Pictures: JPEG, PNG, WebP, BMP",
            options=ImageOptions,
            load=_load,
            files=tuple(SUFFIXES),
            medium="image",
        )
    ]
