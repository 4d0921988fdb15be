"""Who is there? Finds plugins, keeps their specs by name, and keeps their failures.

A plugin that cannot be used is set aside (*quarantined*) as a whole, with the reason; it never stops the
others, and the reason is told to whoever asks for what it might have offered.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, overload

import pluggy

from seqloom import __version__, builtin
from seqloom.containment import Flaw, Process, attempt, contain
from seqloom.discovery import Found, found_plugins
from seqloom.errors import PluginError, SeqloomError, did_you_mean, is_out_of_memory, unknown_name
from seqloom.hooks import (
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
from seqloom.plugincheck import NAMING_HOOKS, introduce

KINDS = tuple(kind for kind, _ in NAMING_HOOKS.values())
"""All kinds of parts: modality, encoder …"""

COMMANDS = frozenset(
    {
        "compare",
        "config",
        "data",
        "demo",
        "doctor",
        "evaluate",
        "init",
        "models",
        "plugins",
        "registry",
        "resume",
        "runs",
        "train",
        "ui",
    }
)
"""The command line's own commands, which no task's verb may be."""

DISABLE_VARIABLE = "SEQLOOM_DISABLE"
_PLUGIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


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
        faults: What it does that it should not, a line each, though it can be used.
        api: The plugin API that it was written for, as ``1`` or ``>=1.1,<2``; empty where it is unknown.
        offers: Kind, name and summary of each part.
    """

    name: str
    distribution: str = ""
    version: str = ""
    module: str = ""
    state: Literal["ok", "disabled", "quarantined"] = "ok"
    reason: str = ""
    faults: tuple[str, ...] = ()
    api: str = ""
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

    @property
    def troubles(self) -> list[str]:
        """A line on why it is not in use, and on each of its faults."""
        aside = [] if self.state == "ok" else [self.trouble]
        return aside + [f"{self.label}: {fault}" for fault in self.faults]


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
        found = found_plugins()
        for one in found:
            catalog._enter(one, disabled)
        installed = {one.name for one in found}
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
            PluginError: It is not there, its code does not import, or it gives no builder.
        """
        spec, plugin = self._find(kind, name)
        try:
            builder: Any = attempt(f"loading {kind} '{name}'", spec.load)
        except Flaw as flaw:
            raise PluginError(f"{plugin.label}: {flaw}") from flaw
        if not callable(builder):
            given = type(builder).__name__
            raise PluginError(f"{plugin.label}: loading {kind} '{name}' gave {given}, not a builder")
        found: Callable[..., Any] = builder
        return found

    def build(self, kind: str, name: str, *given: Any) -> Any:
        """Builds a part: what its builder makes of its options and what else it takes.

        Raises:
            PluginError: As :meth:`load`; or the builder raised what is not one of our errors.
        """
        builder = self.load(kind, name)
        try:
            return attempt(f"building {kind} '{name}'", lambda: builder(*given))
        except Flaw as flaw:
            cause = flaw.__cause__
            if isinstance(cause, SeqloomError) or (cause is not None and is_out_of_memory(cause)):
                raise cause from None
            raise PluginError(f"{self.provider(kind, name).label}: {flaw}") from cause

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

    def _enter(self, found: Found, disabled: Collection[str]) -> None:
        plugin = Plugin(
            name=found.name, distribution=found.distribution, version=found.version, module=found.module
        )
        if plugin.name in disabled:
            reason = f"{DISABLE_VARIABLE} names it"
            self._plugins.append(replace(plugin, state="disabled", reason=reason))
        elif found.flaw:
            self._plugins.append(replace(plugin, state="quarantined", reason=found.flaw))
        else:
            self._add(plugin, found.load)

    def _add(self, plugin: Plugin, load: Callable[[], object]) -> None:
        faults: list[str] = []
        before = Process()
        try:
            self._check_name(plugin)
            entry = contain("importing it", load, faults, before)
            asking = "asking what it offers"
            said = contain(asking, lambda: introduce(entry, plugin.distribution), faults, before)
            self._check_clashes(said.parts)
        except Flaw as flaw:
            aside = replace(plugin, state="quarantined", reason=str(flaw), faults=tuple(faults))
            self._plugins.append(aside)
            return
        offers = tuple((kind, spec.name, spec.summary) for kind, spec in said.parts)
        plugin = replace(plugin, offers=offers, api=said.api, faults=tuple(faults))
        self._plugins.append(plugin)
        self._managers.append((plugin, said.manager))
        self._parts |= {(kind, spec.name): (spec, plugin) for kind, spec in said.parts}

    def _check_name(self, plugin: Plugin) -> None:
        if not _PLUGIN_NAME.fullmatch(plugin.name):
            raise Flaw("the name of its entry point has other than letters, digits, '.', '_' and '-'")
        for other in self._plugins:
            if other.name == plugin.name:
                raise Flaw(
                    f"{other.distribution} {other.version} has an entry point of the same name, "
                    f"'{other.name}'; remove one of the two"
                )

    def _check_clashes(self, parts: Sequence[tuple[str, Spec[Any]]]) -> None:
        own: set[tuple[str, str]] = set()
        for key in ((kind, spec.name) for kind, spec in parts):
            if key in self._parts or key in own:
                taker = "itself" if key in own else self._parts[key][1].label
                raise Flaw(f"its {key[0]} '{key[1]}' is already offered by {taker}")
            own.add(key)
        tasks = [spec for _, spec in parts if isinstance(spec, TaskSpec)]
        if tasks:
            self._check_verbs(tasks)

    def _check_verbs(self, tasks: Sequence[TaskSpec[Any]]) -> None:
        verbs = dict.fromkeys(COMMANDS, "the command line itself")
        verbs |= {spec.verb: self.provider("task", spec.name).label for spec in self.specs("task")}
        for spec in tasks:
            if spec.verb in verbs:
                raise Flaw(f"the verb '{spec.verb}' of its task is already taken by {verbs[spec.verb]}")
            verbs[spec.verb] = "itself"
