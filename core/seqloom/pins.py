"""Which plugins does a model come from, and are they here, in versions that fit?

A model's ``config.json`` holds its *pins*: each plugin that a part of its job comes from, with the version
that it was trained with. The core is not among them: what a model needs of it shows as its job is read.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from seqloom.catalog import Catalog, Plugin
from seqloom.compatibility import fit, requirement
from seqloom.config import JobConfig
from seqloom.discovery import normalized
from seqloom.errors import CorruptError, PluginError, SeqloomWarning
from seqloom.hooks import PROJECT
from seqloom.jobcheck import PARTS
from seqloom.layers import Node

UNPIN_VARIABLE = "SEQLOOM_UNPIN"
_WORD = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_-]*")
_NO_PLUGINS = frozenset({"git", "python", "torch", PROJECT})
"""What else a model's ``versions`` are of."""


@dataclass(frozen=True, kw_only=True)
class Pin:
    """A plugin that a model needs.

    Attributes:
        plugin: The name of its entry point.
        distribution: What to install.
        version: The one that the model was trained with.
        parts: What the model has of it, as ``modality audio``.
    """

    plugin: str
    distribution: str
    version: str
    parts: tuple[str, ...] = ()

    @property
    def requirement(self) -> str:
        """What pip is to be asked for, as a shell takes it: ``'seqloom-speech>=0.1,<0.2'``."""
        return f"'{requirement(self.distribution, self.version)}'"


def pins_of(config: JobConfig, catalog: Catalog) -> list[Pin]:
    """The plugins that the parts of a job come from, by name."""
    tree = Node.of(config.model_dump(mode="json"), "")
    found: dict[str, tuple[Plugin, list[str]]] = {}
    for pattern, kind in PARTS.items():
        for _, node in tree.matching(pattern):
            part = node.plain()
            if part is None:
                continue
            plugin = catalog.provider(kind, part["name"])
            if plugin.name != PROJECT and plugin.distribution:  # else nothing could be installed
                found.setdefault(plugin.name, (plugin, []))[1].append(f"{kind} {part['name']}")
    return [
        Pin(
            plugin=name,
            distribution=plugin.distribution,
            version=plugin.version,
            parts=tuple(dict.fromkeys(parts)),
        )
        for name, (plugin, parts) in sorted(found.items())
    ]


def saved_pins(pins: Sequence[Pin]) -> list[dict[str, Any]]:
    """Pins as JSON has them."""
    return [asdict(pin) for pin in pins]


def read_pins(saved: Any, file: Path) -> list[Pin] | None:
    """The pins of a model's ``config.json``; None where it has none, as those of Seqloom 0.1.0.

    Raises:
        CorruptError: They are not what was saved. What they say is shown in commands for a shell.
    """
    if isinstance(saved, dict) and "plugins" not in saved:
        return None
    try:
        pins = [Pin(**{**pin, "parts": tuple(pin["parts"])}) for pin in saved["plugins"]]
        words = [word for pin in pins for word in (pin.plugin, pin.distribution)]
        whole = all(_WORD.fullmatch(word) for word in words)
        whole = whole and all(_VERSION.fullmatch(pin.version) for pin in pins)
    except (KeyError, TypeError):
        whole = False
    if not whole:
        raise CorruptError(f"{file}: `plugins` is not a list of plugins with their versions")
    return pins


def check_pins(pins: Sequence[Pin], catalog: Catalog, what: str) -> None:
    """Makes sure that the plugins of a model are here; warns of versions that are not quite its own.

    ``SEQLOOM_UNPIN`` names plugins, separated by commas, whose version may be any.

    Args:
        pins: The model's.
        catalog: What is installed.
        what: Names the model.

    Raises:
        PluginError: One is not here, or not in use, or promises nothing to a model of that version; says
            what to install.
    """
    unpinned = {name.strip() for name in os.environ.get(UNPIN_VARIABLE, "").split(",")}
    missing: list[str] = []
    unfit: list[str] = []
    wanted: list[Pin] = []
    for pin in pins:
        plugin = _installed(pin, catalog)
        if plugin is None:
            missing.append(f"plugin '{pin.plugin}' ({pin.distribution} {pin.version}) is not installed")
            wanted.append(pin)
        elif plugin.state != "ok":
            missing.append(plugin.trouble)
        else:
            found = fit(pin.version, plugin.version)
            told = f"{plugin.label} is here, and the model was trained with {pin.version}"
            if found == "unfit" and pin.plugin not in unpinned:
                unfit.append(pin.plugin)
                missing.append(told)
                wanted.append(pin)
            elif found != "same":
                warnings.warn(f"{what}: {told}", SeqloomWarning, stacklevel=3)
    if missing:
        raise PluginError("\n".join([f"{what} needs other plugins:", *missing, *_ways(wanted, unfit)]))


def missing_since(versions: Mapping[str, str], catalog: Catalog) -> str:
    """For a model without pins that lacks a part: what else was installed where it was trained."""
    here = {normalized(plugin.distribution) for plugin in catalog.plugins()}
    lost = [
        Pin(plugin="", distribution=name, version=version)
        for name, version in versions.items()
        if name not in _NO_PLUGINS
        and normalized(name) not in here
        and _WORD.fullmatch(name)
        and _VERSION.fullmatch(version)
    ]
    if not lost:
        return ""
    return f"\nwhere it was trained there was more: pip install {' '.join(pin.requirement for pin in lost)}"


def _installed(pin: Pin, catalog: Catalog) -> Plugin | None:
    """The plugin that a pin means, from whatever state; of the same name from elsewhere it is another."""
    for plugin in catalog.plugins():
        if plugin.name == pin.plugin and normalized(plugin.distribution) == normalized(pin.distribution):
            return plugin
    return None


def _ways(wanted: Sequence[Pin], unfit: Sequence[str]) -> Iterator[str]:
    """What to do."""
    if wanted:
        yield f"install what fits: pip install {' '.join(pin.requirement for pin in wanted)}"
    if unfit:
        yield f"or try it as it is: {UNPIN_VARIABLE}={','.join(unfit)}"
