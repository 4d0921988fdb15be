"""Train, run and keep track of sequence-to-sequence models of any modality.

::

    import seqloom

    seqloom.train("job.yaml")
    seqloom.load("models:/de-en@champion").predict(["Ein Hund läuft."], beam=5)
    seqloom.Registry().models(where="bleu > 30")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqloom.api import load as load
    from seqloom.api import train as train
    from seqloom.errors import SeqloomError as SeqloomError
    from seqloom.registry.store import Registry as Registry

__version__ = "0.1.0"

_HOMES = {
    "load": "seqloom.api",
    "train": "seqloom.api",
    "Registry": "seqloom.registry.store",
    "SeqloomError": "seqloom.errors",
}
"""Where the public names live: they are imported on first use, as torch takes seconds."""

__all__ = ["Registry", "SeqloomError", "load", "train"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'seqloom' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
