"""A run's configuration for people: each value by its path."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

DEEPEST: Final = 30
MOST_VALUES: Final = 2000
LONGEST: Final = 2000  # characters of a value


@dataclass(frozen=True)
class Setting:
    """A value of a configuration.

    Attributes:
        path: ``train.steps``; a position in a list is a number.
        value: As JSON has it.
        content: The value itself, where it is a text, a number or a truth.
    """

    path: str
    value: str
    content: str | float | bool | None = None


def settings(config: Mapping[str, Any]) -> list[Setting]:
    """All values, in the order of the file."""
    found: list[Setting] = []
    for setting in _walk(config):
        found.append(setting)
        if len(found) == MOST_VALUES:
            break
    return found


def sections(config: Mapping[str, Any]) -> Mapping[str, list[Setting]]:
    """All values by their uppermost key; those that stand alone are under no name."""
    found: dict[str, list[Setting]] = {"": []}
    for setting in settings(config):
        above, dot, _ = setting.path.partition(".")
        found.setdefault(above if dot else "", []).append(setting)
    return {name: rows for name, rows in found.items() if rows}


def _walk(config: Mapping[str, Any]) -> Iterator[Setting]:
    """Depth first, without recursion: nobody knows how deep a configuration is."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), config)]
    while waiting:
        path, value = waiting.pop()
        within = dict(enumerate(value)) if isinstance(value, list) else value
        if isinstance(within, Mapping) and within and len(path) < DEEPEST:
            waiting += reversed([((*path, str(key)), item) for key, item in within.items()])
        elif path:
            yield _setting(".".join(path), value)


def _setting(path: str, value: Any) -> Setting:
    if isinstance(value, Mapping | list) and value:
        return Setting(path, "…")
    said = json.dumps(value, ensure_ascii=False, default=str)
    content = value if isinstance(value, str | float | int | bool) else None
    return Setting(path, said if len(said) <= LONGEST else said[:LONGEST] + "…", content)
