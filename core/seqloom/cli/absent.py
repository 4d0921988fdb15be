"""Whose command is it, that nobody here offers? The model that it is to use says which plugins it needs."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from seqloom.catalog import Catalog
from seqloom.errors import SeqloomError


def check_model(name: str, registry: str | None, catalog: Catalog) -> None:
    """Makes sure that the plugins of a model are here; does nothing where there is no such model.

    Args:
        name: As verbs take it.
        registry: URL of the registry; None as on the command line.
        catalog: What is installed.

    Raises:
        PluginError: The model needs others; says what to install.
        CorruptError: It does not say which as Seqloom writes it.
    """
    folder = _folder(name, registry)
    if folder is None:
        return
    from seqloom.pins import check_pins, read_pins  # noqa: PLC0415 - only for commands that are not there
    from seqloom.storage import read_json  # noqa: PLC0415 - imports torch

    file = folder / "config.json"
    check_pins(read_pins(read_json(file), file) or (), catalog, f"model {name}")


def _folder(name: str, registry: str | None) -> Path | None:
    from seqloom.registry.store import Registry  # noqa: PLC0415 - `--help` never pays for a database

    folder = Path(name)
    if not folder.is_dir():
        with suppress(SeqloomError), Registry(registry) as opened:
            folder = Path(opened.model(name).folder)
    return folder if (folder / "config.json").is_file() else None
