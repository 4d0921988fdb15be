"""A plugin whose parts fail as they are told to: tests of faults put it on PYTHONPATH."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import Field

from seqloom.hooks import HeadParts, HeadSpec, ModalitySpec, NoOptions, Options, hookimpl

seqloom_api = 1


class FaultyOptions(Options):
    nan_loss: tuple[int, ...] = Field((), description="Examples whose loss is NaN.")
    infinite_gradient: tuple[int, ...] = Field((), description="Examples whose gradient alone is infinite.")
    nan_steps: tuple[int, ...] = Field((), description="Steps, counted from 0, whose loss is NaN.")
    headroom: int | None = Field(
        None, description="Bytes that the process may take beyond what it has when training begins."
    )
    appetite: int = Field(0, description="Bytes that each training example takes for itself.")


def _load() -> Callable[[FaultyOptions, HeadParts], Any]:
    from seqloom_faulty.head import build

    return build


@hookimpl
def seqloom_heads() -> list[HeadSpec[FaultyOptions]]:
    return [
        HeadSpec(
            name="faulty", summary="Fails on demand", options=FaultyOptions, load=_load, takes_decoder=True
        )
    ]


def _load_modality() -> Callable[[NoOptions, Any], Any]:
    from seqloom_faulty.modality import FaultyModality

    return lambda options, tokenizer: FaultyModality(tokenizer)


@hookimpl
def seqloom_modalities() -> list[ModalitySpec[NoOptions]]:
    return [
        ModalitySpec(
            name="faulty",
            summary="Text that loses tokens",
            options=NoOptions,
            load=_load_modality,
            takes_tokenizer=True,
        )
    ]
