"""Text as a modality: token ids, embedded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from seqloom.hooks import ModalitySpec, Options, hookimpl

if TYPE_CHECKING:
    from seqloom.modality import Modality
    from seqloom.tokenizer import Tokenizer

seqloom_api = 1


class TextOptions(Options):
    """Of text."""

    max_tokens: int | None = Field(
        None, ge=1, description="Tokens of a text that are read, the first so many; null for all."
    )


def _load() -> Callable[[TextOptions, Tokenizer | None], Modality]:
    from seqloom_text.modality import TextModality  # noqa: PLC0415

    def build(options: TextOptions, tokenizer: Tokenizer | None) -> Modality:
        assert tokenizer is not None  # noqa: S101 - the spec takes one
        return TextModality(tokenizer, options.max_tokens)

    return build


@hookimpl
def seqloom_modalities() -> Sequence[ModalitySpec[Any]]:
    """Text."""
    return [
        ModalitySpec(
            name="text",
            summary="Text as embedded tokens",
            options=TextOptions,
            load=_load,
            takes_tokenizer=True,
        )
    ]
