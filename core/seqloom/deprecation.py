"""What of the plugin interface will go? Names, hooks and arguments that plugins are to stop using.

Three things can be deprecated, each by a :class:`Deprecation`:

- a name of a module: ``__getattr__ = deprecated_names(__name__, {"Old": (OLD, lambda: New)})``
- a hook, or one's argument: ``@hookspec(warn_on_impl=warning_of(OLD))``, ``warn_on_impl_args={"old": …}``
- an argument of a function, or a field of a spec: ``warn_of(OLD)`` where it is given
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from seqloom.errors import SeqloomWarning

_NOBODY = frozenset({"importlib", "pluggy", "seqloom"})
"""Packages that only stand between the interface and who uses it."""


@dataclass(frozen=True, kw_only=True)
class Deprecation:
    """Something of the interface that will go.

    Attributes:
        what: As the author of a plugin knows it: ``seqloom.hooks.Old``, ``hook seqloom_old``.
        since: The plugin API that it is deprecated from.
        removal: The day from which a new plugin API may be without it.
        replacement: What to use instead.
    """

    what: str
    since: str
    removal: date
    replacement: str

    def __str__(self) -> str:
        return (
            f"{self.what}, which is deprecated since plugin API {self.since} and may be gone from "
            f"{self.removal} on: use {self.replacement}"
        )


class DeprecatedWarning(SeqloomWarning):
    """A plugin uses something deprecated.

    Args:
        deprecation: What it is.
        user: The package that uses it; empty where it is known otherwise.
    """

    def __init__(self, deprecation: Deprecation, user: str = "") -> None:
        super().__init__(f"{user or 'a plugin'} uses {deprecation}")
        self.deprecation = deprecation


def warning_of(deprecation: Deprecation) -> DeprecatedWarning:
    """What a hook specification warns its implementers of; the catalog knows whose they are."""
    return DeprecatedWarning(deprecation)


def warn_of(deprecation: Deprecation) -> None:
    """Warns that whoever called the core, or runs it, uses something deprecated; names that package."""
    frame = sys._getframe(1)
    while frame.f_back is not None and _package(frame.f_globals) in _NOBODY:
        frame = frame.f_back
    warning = DeprecatedWarning(deprecation, _package(frame.f_globals))
    warnings.warn_explicit(warning, None, frame.f_code.co_filename, frame.f_lineno)


def deprecated_names(
    module: str, names: Mapping[str, tuple[Deprecation, Callable[[], Any]]]
) -> Callable[[str], Any]:
    """A module's ``__getattr__`` under which its deprecated names still work.

    Args:
        module: The module's name.
        names: For each, what is told of it, and what gives its value.
    """

    def get(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        deprecation, value = names[name]
        warn_of(deprecation)
        return value()

    return get


def _package(names: Mapping[str, Any]) -> str:
    return str(names.get("__name__", "")).partition(".")[0]
