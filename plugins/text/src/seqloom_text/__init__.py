"""Text as a modality: token ids, embedded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from seqloom.hooks import ModalitySpec, NoOptions, hookimpl

if TYPE_CHECKING:
    from seqloom.modality import Modality
    from seqloom.tokenizer import Tokenizer

seqloom_api = 1


def _load() -> Callable[[NoOptions, Tokenizer | None], Modality]:
    from seqloom_text.modality import TextModality  # noqa: PLC0415

    def build(options: NoOptions, tokenizer: Tokenizer | None) -> Modality:  # noqa: ARG001
        assert tokenizer is not None  # noqa: S101 - the spec takes one
        return TextModality(tokenizer)

    return build


@hookimpl
def seqloom_modalities() -> Sequence[ModalitySpec[Any]]:
    """Text."""
    return [
        ModalitySpec(
            name="text",
            summary="Text as embedded tokens",
            options=NoOptions,
            load=_load,
            takes_tokenizer=True,
        )
    ]
