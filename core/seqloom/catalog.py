"""Who is there? Finds plugins, keeps their specs by name, and keeps their failures.

A plugin that cannot be used is set aside (*quarantined*) as a whole, with the reason; it never stops the
others, and the reason is told to whoever asks for what it might have offered.
"""

from __future__ import annotations

import importlib.metadata
import os
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, overload

import pluggy

from seqloom import __version__, builtin
from seqloom.errors import PluginError, did_you_mean, unknown_name
from seqloom.hooks import (
    ENTRY_POINT_GROUP,
    PROJECT,
    AttentionSpec,
    DecoderSpec,
    EncoderSpec,
    HeadSpec,
    MetricSpec,
    ModalitySpec,
    Spec,
    TaskSpec,
    TokenizerSpec,
)
from seqloom.plugincheck import NAMING_HOOKS, Flaw, attempt, introduce

KINDS = tuple(kind for kind, _ in NAMING_HOOKS.values())
"""All kinds of parts: modality, encoder …"""

COMMANDS = frozenset(
    {"config", "data", "demo", "doctor", "evaluate", "init", "models", "plugins", "resume", "runs", "train"}
)
"""The command line's own commands, which no task's verb may be."""

DISABLE_VARIABLE = "SEQLOOM_DISABLE"


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """One plugin, in use or not.

    Attributes:
        name: Of its entry point; the core's own is ``seqloom``.
        distribution: What a user installed.
        version: The distribution's.
        module: The entry module.
        state: ``ok``, ``disabled`` by the user, or ``quarantined`` as something is wrong with it.
        reason: Why it is not in use; empty where it is.
        offers: Kind, name and summary of each part.
    """

    name: str
    distribution: str = ""
    version: str = ""
    module: str = ""
    state: Literal["ok", "disabled", "quarantined"] = "ok"
    reason: str = ""
    offers: tuple[tuple[str, str, str], ...] = ()

    @property
    def label(self) -> str:
        """``plugin 'imu' (seqloom-imu 0.1)``."""
        return f"plugin '{self.name}'" + (
            f" ({self.distribution} {self.version})" if self.distribution else ""
        )

    @property
    def trouble(self) -> str:
        """One line on why it is not in use."""
        return (
            f"{self.label} {'is disabled' if self.state == 'disabled' else 'was set aside'}: {self.reason}"
        )


class Catalog:
    """All plugins, and every part that those in use offer. A new one knows the core's own alone."""

    def __init__(self) -> None:
        self._plugins: list[Plugin] = []
        self._managers: list[tuple[Plugin, pluggy.PluginManager]] = []
        self._parts: dict[tuple[str, str], tuple[Spec[Any], Plugin]] = {}
        core = Plugin(name=PROJECT, distribution=PROJECT, version=__version__, module=builtin.__name__)
        self._add(core, lambda: builtin)

    @classmethod
    def from_environment(cls) -> Catalog:
        """All installed plugins but those that ``SEQLOOM_DISABLE`` names, separated by commas."""
        names = os.environ.get(DISABLE_VARIABLE, "").split(",")
        return cls.discover({name.strip() for name in names} - {""})

    @classmethod
    def discover(cls, disabled: Collection[str] = ()) -> Catalog:
        """All installed plugins but those named; what is wrong with one is never raised.

        They enter by their distributions' names, so that a clash always ends the same way: the core
        keeps a name before all others, then the plugin that comes first.
        """
        catalog = cls()
        entry_points = list(importlib.metadata.entry_points(group=ENTRY_POINT_GROUP))
        for entry_point in sorted(entry_points, key=lambda found: (_distribution(found)[0], found.name)):
            catalog._enter(entry_point, disabled)
        installed = {entry_point.name for entry_point in entry_points}
        for name in sorted(set(disabled) - installed):
            why = "it is the core" if name == PROJECT else "it is not installed"
            reason = f"{DISABLE_VARIABLE} names it, and {why}.{did_you_mean(name, installed)}"
            catalog._plugins.append(Plugin(name=name, state="disabled", reason=reason))
        return catalog

    def introduce(self, name: str, entry: object) -> Plugin:
        """Enters a plugin that is not installed, as tests have some.

        Args:
            name: Its own.
            entry: What an entry point would name: a module.
        """
        self._add(Plugin(name=name, module=getattr(entry, "__name__", "")), lambda: entry)
        return self._plugins[-1]

    def plugins(self) -> list[Plugin]:
        """Every plugin found, in use or not; the core first."""
        return list(self._plugins)

    def set_aside(self) -> list[Plugin]:
        """The plugins that are not in use."""
        return [plugin for plugin in self._plugins if plugin.state != "ok"]

    @overload
    def specs(self, kind: Literal["task"]) -> Sequence[TaskSpec[Any]]: ...
    @overload
    def specs(self, kind: str) -> Sequence[Spec[Any]]: ...
    def specs(self, kind: str) -> Sequence[Spec[Any]]:
        """All parts of a kind, by name."""
        return [self._parts[key][0] for key in sorted(self._parts) if key[0] == kind]

    @overload
    def get(self, kind: Literal["modality"], name: str) -> ModalitySpec[Any]: ...
    @overload
    def get(self, kind: Literal["encoder"], name: str) -> EncoderSpec[Any]: ...
    @overload
    def get(self, kind: Literal["attention"], name: str) -> AttentionSpec[Any]: ...
    @overload
    def get(self, kind: Literal["decoder"], name: str) -> DecoderSpec[Any]: ...
    @overload
    def get(self, kind: Literal["head"], name: str) -> HeadSpec[Any]: ...
    @overload
    def get(self, kind: Literal["task"], name: str) -> TaskSpec[Any]: ...
    @overload
    def get(self, kind: Literal["tokenizer"], name: str) -> TokenizerSpec[Any]: ...
    @overload
    def get(self, kind: Literal["metric"], name: str) -> MetricSpec[Any]: ...
    @overload
    def get(self, kind: str, name: str) -> Any: ...
    def get(self, kind: str, name: str) -> Spec[Any]:
        """The spec of a part.

        Raises:
            PluginError: No plugin in use offers it; quotes why the others are not.
        """
        spec: Spec[Any] = self._find(kind, name)[0]
        return spec

    def provider(self, kind: str, name: str) -> Plugin:
        """The plugin that offers a part.

        Raises:
            PluginError: As :meth:`get`.
        """
        return self._find(kind, name)[1]

    def load(self, kind: str, name: str) -> Callable[..., Any]:
        """Imports a part's code and gives its builder, which takes its options.

        Raises:
            PluginError: It is not there, or its code does not import.
        """
        spec, plugin = self._find(kind, name)
        try:
            builder: Callable[..., Any] = attempt(f"loading {kind} '{name}'", spec.load)
        except Flaw as flaw:
            raise PluginError(f"{plugin.label}: {flaw}") from flaw
        return builder

    def notify(self, hook: str, **facts: Any) -> None:
        """Calls an observing hook of all plugins in use; one that fails is warned of, and no more."""
        for plugin, manager in self._managers:
            observe = getattr(manager.hook, hook)
            try:
                attempt(f"hook {hook}", lambda observe=observe: observe(**facts))  # type: ignore[misc]
            except Flaw as flaw:
                print(f"warning: {plugin.label}: {flaw}", file=sys.stderr)  # noqa: T201

    def _find(self, kind: str, name: str) -> tuple[Any, Plugin]:
        if (kind, name) not in self._parts:
            message = unknown_name(kind, name, [spec.name for spec in self.specs(kind)])
            raise PluginError("\n".join([message, *(plugin.trouble for plugin in self.set_aside())]))
        return self._parts[kind, name]

    def _enter(self, entry_point: importlib.metadata.EntryPoint, disabled: Collection[str]) -> None:
        distribution, version = _distribution(entry_point)
        plugin = Plugin(
            name=entry_point.name, distribution=distribution, version=version, module=entry_point.value
        )
        if plugin.name in disabled:
            reason = f"{DISABLE_VARIABLE} names it"
            self._plugins.append(replace(plugin, state="disabled", reason=reason))
        else:
            self._add(plugin, entry_point.load)

    def _add(self, plugin: Plugin, load: Callable[[], object]) -> None:
        try:
            self._check_name(plugin)
            manager, parts = introduce(attempt("importing it", load))
            self._check_clashes(parts)
        except Flaw as flaw:
            self._plugins.append(replace(plugin, state="quarantined", reason=str(flaw)))
            return
        offers = tuple((kind, spec.name, spec.summary) for kind, spec in parts)
        plugin = replace(plugin, offers=offers)
        self._plugins.append(plugin)
        self._managers.append((plugin, manager))
        self._parts |= {(kind, spec.name): (spec, plugin) for kind, spec in parts}

    def _check_name(self, plugin: Plugin) -> None:
        for other in self._plugins:
            if other.name == plugin.name:
                raise Flaw(
                    f"{other.distribution} {other.version} has an entry point of the same name, "
                    f"'{other.name}'; remove one of the two"
                )

    def _check_clashes(self, parts: Sequence[tuple[str, Spec[Any]]]) -> None:
        taken = {key: plugin.label for key, (_, plugin) in self._parts.items()}
        verbs = dict.fromkeys(COMMANDS, "the command line itself")
        verbs |= {spec.verb: self.provider("task", spec.name).label for spec in self.specs("task")}
        for kind, spec in parts:
            if (kind, spec.name) in taken:
                raise Flaw(f"its {kind} '{spec.name}' is already offered by {taken[kind, spec.name]}")
            taken[kind, spec.name] = "itself"
            if isinstance(spec, TaskSpec):
                if spec.verb in verbs:
                    raise Flaw(f"the verb '{spec.verb}' of its task is already taken by {verbs[spec.verb]}")
                verbs[spec.verb] = "itself"


def _distribution(entry_point: importlib.metadata.EntryPoint) -> tuple[str, str]:
    """The name and version of the distribution that declares an entry point."""
    found = entry_point.dist
    return (found.name, found.version) if found else ("", "")
