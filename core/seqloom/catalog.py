"""Who is there? Finds plugins, keeps their specs by name, and keeps their failures.

A plugin that cannot be used is set aside (*quarantined*) as a whole, with the reason; it never stops the
others, and the reason is told to whoever asks for what it might have offered. Each plugin gets a pluggy
manager of its own: what it says and how it fails stays attributed to it.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import inspect
import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, overload

import pluggy

from seqloom import __version__, builtin
from seqloom.errors import Interrupted, PluginError, did_you_mean, unknown_name
from seqloom.hooks import (
    API_VERSION,
    ENTRY_POINT_GROUP,
    PROJECT,
    AttentionSpec,
    DecoderSpec,
    EncoderSpec,
    HeadSpec,
    HookSpecs,
    MetricSpec,
    ModalitySpec,
    Spec,
    TaskSpec,
    TokenizerSpec,
)
from seqloom.speccheck import COMMANDS, flaw_of

NAMING_HOOKS: dict[str, tuple[str, type[Spec[Any]]]] = {
    "seqloom_modalities": ("modality", ModalitySpec),
    "seqloom_encoders": ("encoder", EncoderSpec),
    "seqloom_attentions": ("attention", AttentionSpec),
    "seqloom_decoders": ("decoder", DecoderSpec),
    "seqloom_heads": ("head", HeadSpec),
    "seqloom_tasks": ("task", TaskSpec),
    "seqloom_tokenizers": ("tokenizer", TokenizerSpec),
    "seqloom_metrics": ("metric", MetricSpec),
}
"""For each hook that names parts, the kind of its parts and their class."""

KINDS = tuple(kind for kind, _ in NAMING_HOOKS.values())
HOOKS = tuple(name for name in vars(HookSpecs) if name.startswith(PROJECT))
DISABLE_VARIABLE = "SEQLOOM_DISABLE"


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """One plugin, healthy or not.

    Attributes:
        name: Of its entry point; the core's own is ``seqloom``.
        distribution: What to install or remove.
        version: The distribution's.
        module: The entry module.
        state: ``ok``, ``disabled`` by the user, or ``quarantined`` with the reason.
        reason: Why it is not in use; empty where it is.
        offers: Kind, name and summary of each part that it offers.
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
        origin = f" ({self.distribution} {self.version})" if self.distribution else ""
        return f"plugin '{self.name}'{origin}"

    @property
    def trouble(self) -> str:
        """One line on why it is not in use; empty where it is."""
        how = {"ok": "", "disabled": "is not in use", "quarantined": "was set aside"}[self.state]
        return f"{self.label} {how}: {self.reason}" if how else ""


@dataclass(frozen=True)
class _Member:
    """A healthy plugin: its record, its specs by kind, and its hooks."""

    plugin: Plugin
    specs: tuple[tuple[str, Spec[Any]], ...]
    manager: pluggy.PluginManager


class _Flaw(Exception):  # noqa: N818 - it becomes a record, not an error
    """Why a plugin is set aside."""


class Catalog:
    """All plugins, and every part that the healthy ones offer."""

    def __init__(self) -> None:
        self._members: list[_Member] = []
        self._set_aside: list[Plugin] = []
        self._specs: dict[tuple[str, str], tuple[Spec[Any], Plugin]] = {}
        self._add(Plugin(name=PROJECT, distribution=PROJECT, version=__version__), lambda: builtin)

    @classmethod
    def from_environment(cls) -> Catalog:
        """All installed plugins but those that ``SEQLOOM_DISABLE`` names, separated by commas."""
        names = os.environ.get(DISABLE_VARIABLE, "").split(",")
        return cls.discover({name.strip() for name in names} - {""})

    @classmethod
    def discover(cls, disabled: Collection[str] = ()) -> Catalog:
        """All installed plugins but those named; never raises for what is wrong with one.

        Order is that of distributions' names, so that the same clash always ends the same way.
        """
        catalog = cls()
        entry_points = list(importlib.metadata.entry_points(group=ENTRY_POINT_GROUP))
        for entry_point in sorted(entry_points, key=lambda found: (_distribution(found), found.name)):
            catalog._enter(entry_point, entry_point.name in disabled)
        installed = {entry_point.name for entry_point in entry_points}
        for name in sorted(set(disabled) - installed):
            reason = f"{DISABLE_VARIABLE} names it, but it is not installed.{did_you_mean(name, installed)}"
            catalog._set_aside.append(Plugin(name=name, state="disabled", reason=reason))
        return catalog

    # Asking ----------------------------------------------------------------------------------------------

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
    def get(self, kind: str, name: str) -> Spec[Any]: ...

    def get(self, kind: str, name: str) -> Spec[Any]:
        """The spec of the part of that kind and name.

        Raises:
            PluginError: No healthy plugin offers it; quotes why the others were set aside.
        """
        return self._find(kind, name)[0]

    def provider(self, kind: str, name: str) -> Plugin:
        """The plugin that offers a part.

        Raises:
            PluginError: As :meth:`get`.
        """
        return self._find(kind, name)[1]

    @overload
    def specs(self, kind: Literal["task"]) -> list[TaskSpec[Any]]: ...
    @overload
    def specs(self, kind: str) -> list[Spec[Any]]: ...

    def specs(self, kind: str) -> Sequence[Spec[Any]]:
        """All parts of a kind, by name."""
        return [spec for (of, _), (spec, _) in sorted(self._specs.items(), key=_key) if of == kind]

    def plugins(self) -> list[Plugin]:
        """Every plugin found: the core, the healthy ones, then those that are not in use."""
        return [member.plugin for member in self._members] + self._set_aside

    def quarantined(self) -> list[Plugin]:
        """The plugins that something is wrong with."""
        return [plugin for plugin in self._set_aside if plugin.state == "quarantined"]

    def notify(self, hook: str, **facts: Any) -> None:
        """Calls an observing hook of every healthy plugin; one that fails is warned of, and no more."""
        for member in self._members:
            try:
                with _stdout_to_stderr():
                    getattr(member.manager.hook, hook)(**facts)
            except (KeyboardInterrupt, Interrupted):
                raise
            except BaseException as error:  # noqa: BLE001 - an observer never stops a run
                print(f"warning: {member.plugin.label} failed in {hook}: {_told(error)}", file=sys.stderr)  # noqa: T201

    def _find(self, kind: str, name: str) -> tuple[Spec[Any], Plugin]:
        if (kind, name) in self._specs:
            return self._specs[kind, name]
        known = [other for of, other in self._specs if of == kind]
        lines = [unknown_name(kind, name, known), *(plugin.trouble for plugin in self._set_aside)]
        raise PluginError("\n".join(lines))

    # Finding ---------------------------------------------------------------------------------------------

    def _enter(self, entry_point: importlib.metadata.EntryPoint, disabled: bool) -> None:
        dist = entry_point.dist
        version = dist.version if dist else ""
        plugin = Plugin(name=entry_point.name, distribution=_distribution(entry_point), version=version)
        if disabled:
            reason = f"{DISABLE_VARIABLE} names it"
            record = _replaced(plugin, module=entry_point.module, state="disabled", reason=reason)
            self._set_aside.append(record)
            return
        self._add(_replaced(plugin, module=entry_point.module), entry_point.load)

    def _add(self, plugin: Plugin, load: Callable[[], object]) -> None:
        try:
            self._check_plugin_name(plugin)
            with _stdout_to_stderr():
                member = _introduce(plugin, _called("its entry module", load))
            self._check_clashes(member)
        except _Flaw as flaw:
            self._set_aside.append(_replaced(plugin, state="quarantined", reason=str(flaw)))
            return
        self._members.append(member)
        self._specs.update({(kind, spec.name): (spec, member.plugin) for kind, spec in member.specs})
