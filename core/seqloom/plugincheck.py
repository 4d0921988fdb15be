"""What does a plugin say, and can it be believed? Asks its hooks and checks every answer.

pluggy accepts a misspelt hook in silence, drops an answer of None, and lets one plugin's exception end the
asking of all; here each of these becomes a :class:`Flaw` of that one plugin.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType, NoneType, SimpleNamespace, UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin

import pluggy
from pydantic.fields import FieldInfo

from seqloom.compatibility import check_api
from seqloom.containment import Flaw, attempt
from seqloom.errors import did_you_mean
from seqloom.hooks import (
    PROJECT,
    AttentionSpec,
    DecoderSpec,
    EncoderSpec,
    FormatSpec,
    HeadSpec,
    HookSpecs,
    MetricSpec,
    ModalitySpec,
    Options,
    Spec,
    TaskSpec,
    TokenizerSpec,
)

NAMING_HOOKS: Mapping[str, tuple[str, type[Spec[Any]]]] = {
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

HOOKS = tuple(name for name in vars(HookSpecs) if name.startswith(f"{PROJECT}_"))
RESERVED_SLOTS = frozenset({"target", "joint"})

RESERVED_FORMATS = frozenset({"text", "jsonl"})

RESERVED_BASELINES = frozenset({"nearest", "frequent"})
"""Baselines that every task has."""


def tag_of(baseline: str) -> str | None:
    """The tag whose values a baseline gives the most frequent target, as ``frequent:speaker``; or None."""
    name, _, tag = baseline.partition(":")
    return tag if name == "frequent" and tag else None


RESERVED_FLAGS = frozenset(
    {
        *("model", "inputs", "input_file", "input", "output", "format", "device", "dtype"),
        *("beam", "n_best", "length_penalty", "batch_size", "ctx", "help"),
    }
)
"""Flags that every verb has."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_FLAG_TYPES = (bool, int, float, str, NoneType)


class Introduction(NamedTuple):
    """What a plugin says of itself.

    Attributes:
        manager: Knows this plugin alone.
        parts: The kind and spec of each part.
        api: The plugin API that it was written for.
    """

    manager: pluggy.PluginManager
    parts: list[tuple[str, Spec[Any]]]
    api: str


def introduce(entry: object, distribution: str = "") -> Introduction:
    """Asks a plugin what it offers.

    Args:
        entry: What its entry point names: a module.
        distribution: What a user installs of it.

    Raises:
        Flaw: Something about it is wrong.
    """
    api = check_api(getattr(entry, "seqloom_api", None), distribution)
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(HookSpecs)
    hooks = _hooks_of(entry)
    name = getattr(entry, "__name__", None)
    attempt("registering its hooks", lambda: manager.register(hooks, name))
    callers = manager.get_hookcallers(hooks) or []
    _check_spelling(entry, {caller.name for caller in callers})
    specs: list[tuple[str, Spec[Any]]] = []
    for caller in callers:
        if caller.name in NAMING_HOOKS:
            for implementation in caller.get_hookimpls():
                answer: object = attempt(f"hook {caller.name}", implementation.function)
                specs += _checked(caller.name, answer)
    return Introduction(manager, specs, api)


def _hooks_of(entry: object) -> object:
    """What is marked as a hook of a module: pluggy takes its time over each of its names."""
    if not isinstance(entry, ModuleType):
        return entry
    mark = f"{PROJECT}_impl"  # as pluggy's marker leaves it
    return SimpleNamespace(**{name: value for name, value in vars(entry).items() if hasattr(value, mark)})


def _check_spelling(entry: object, found: set[str]) -> None:
    for name in sorted(found - set(HOOKS)):
        raise Flaw(f"there is no hook '{name}'.{did_you_mean(name, HOOKS)}")
    for name in HOOKS:
        if name not in found and callable(getattr(entry, name, None)):
            raise Flaw(f"its {name} is not marked as a hook: put @hookimpl before it")


def _checked(hook: str, answer: object) -> Iterator[tuple[str, Spec[Any]]]:
    kind, wanted = NAMING_HOOKS[hook]
    if not isinstance(answer, Sequence) or isinstance(answer, str):
        raise Flaw(f"hook {hook} returned {type(answer).__name__}, not a list of {wanted.__name__}")
    for spec in answer:
        if not isinstance(spec, wanted):
            raise Flaw(f"hook {hook} returned a list with {type(spec).__name__}, not {wanted.__name__}")
        for flaw in _flaws(spec):
            raise Flaw(f"{kind} {spec.name!r}: {flaw}")
        yield kind, spec


def _flaws(spec: Any) -> Iterator[str]:
    """What is wrong with a spec: dataclasses check no types, so its annotations prove nothing."""
    if not _is_name(spec.name):
        yield "a name has small letters, digits, '-' and '_' only, and begins with a letter or digit"
    if not isinstance(spec.summary, str):
        yield "summary is not a text"
    elif len(spec.summary.splitlines()) != 1:
        yield f"summary is not one line: {spec.summary!r}"
    yield from _options_flaws("options", spec.options)
    if not callable(getattr(spec, "load", None)):
        yield "load cannot be called"
    if isinstance(spec, TaskSpec):
        yield from _task_flaws(spec)
    if isinstance(spec, ModalitySpec) and not _are_suffixes(spec.files):
        yield f"files is {spec.files!r}, not a list of suffixes in small letters, as ['.png', '.jpg']"


def _task_flaws(spec: Any) -> Iterator[str]:
    if not _is_name(spec.verb):
        yield f"verb {spec.verb!r} is not a name"
    yield from (flaws := list(_options_flaws("flags", spec.flags)))
    if not flaws:
        for name, field in spec.flags.model_fields.items():
            yield from _flag_flaws(name, field)
        yield from _format_flaws(spec.formats, spec.flags)
    yield from _baseline_flaws(spec.baselines)
    if not isinstance(spec.presets, Mapping) or not all(
        isinstance(p, Mapping) for p in spec.presets.values()
    ):
        yield "presets is not a mapping of mappings"
    if not isinstance(spec.inputs, Mapping) or not all(_is_name(slot) for slot in spec.inputs):
        yield "inputs is not a mapping of slots to modalities"
    elif taken := sorted(RESERVED_SLOTS & set(spec.inputs)):
        yield f"an input slot may not be called '{taken[0]}'"


def _format_flaws(formats: object, flags: type[Options]) -> Iterator[str]:
    if not isinstance(formats, Mapping) or not all(isinstance(f, FormatSpec) for f in formats.values()):
        yield "formats is not a mapping of names to FormatSpec"
        return
    for name, form in formats.items():
        if not _is_name(name) or name in RESERVED_FORMATS:
            yield f"a format may not be called {name!r}"
        for flag in sorted(set(form.flags) - set(flags.model_fields)):
            yield f"format '{name}' takes a flag '{flag}' that the verb does not have"


def _baseline_flaws(baselines: object) -> Iterator[str]:
    if not isinstance(baselines, Sequence) or isinstance(baselines, str):
        yield f"baselines is {baselines!r}, not a list of names"
        return
    for name in baselines:
        if not _is_name(name) or name in RESERVED_BASELINES:
            yield f"a baseline may not be called {name!r}"


def _flag_flaws(name: str, field: FieldInfo) -> Iterator[str]:
    """What a command line cannot take as a flag."""
    if name in RESERVED_FLAGS:
        yield f"flag '{name}' is one that every verb has"
    if field.is_required():
        yield f"flag '{name}' has no default"
    is_union = get_origin(field.annotation) in (Union, UnionType)
    choices = get_args(field.annotation) if is_union else (field.annotation,)
    if any(choice not in _FLAG_TYPES for choice in choices) or len(set(choices) - {NoneType}) != 1:
        yield f"flag '{name}' is not a bool, int, float or str, or None where not given"


def _is_name(value: object) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def _are_suffixes(value: object) -> bool:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return False
    return all(isinstance(one, str) and re.fullmatch(r"\.\S+", one) and one.islower() for one in value)


def _options_flaws(what: str, value: object) -> Iterator[str]:
    if not isinstance(value, type) or not issubclass(value, Options):
        yield f"{what} is not a subclass of seqloom.hooks.Options"
        return
    for key in ("extra", "frozen"):
        if (found := value.model_config.get(key)) != (wanted := Options.model_config.get(key)):
            yield f"{what} has {key}={found!r} in its model_config, where all have {key}={wanted!r}"
