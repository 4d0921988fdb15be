"""Writes down the interface of plugins: docs/interface.md for readers, tests/interface/1.1.txt for a test.

Usage: python docs/listing.py [--amend]

A recorded version of the interface stays as it is: what changes it raises ``API_VERSION`` in
core/seqloom/hooks.py first. ``--amend`` is for a version that was in no release yet.
"""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, ForwardRef, TypeVar, get_origin

from pydantic import BaseModel

from seqloom.hooks import API_VERSION

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "interface.md"
RECORDS = ROOT / "tests" / "interface"

MODULES: dict[str, tuple[str, ...] | None] = {
    "seqloom.hooks": None,
    "seqloom.errors": (
        *("SeqloomError", "SeqloomWarning", "UsageError", "DataError", "StorageError", "CorruptError"),
        *(
            "ConfigError",
            "PluginError",
            "DivergedError",
            "MemoryShortError",
            "did_you_mean",
            "unknown_name",
        ),
    ),
    "seqloom.deprecation": ("Deprecation", "DeprecatedWarning"),
    "seqloom.batch": None,
    "seqloom.drawing": None,
    "seqloom.modality": None,
    "seqloom.task": None,
    "seqloom.head": None,
    "seqloom.tokenizer": None,
    "seqloom.vocabulary": None,
    "seqloom.metrics": None,
    "seqloom.metrics.base": ("some",),
    "seqloom.nn.encoder": None,
    "seqloom.nn.attention": None,
    "seqloom.nn.decoder": None,
    "seqloom.nn.embedding": None,
    "seqloom.nn.positions": None,
    "seqloom.nn.ctc": ("shortest_alignment",),
    "seqloom.config": ("DecodeConfig",),
    "seqloom.data.blobs": None,
    "seqloom.storage": ("storage_errors",),
    "seqloom.testing": None,
}
"""The modules that plugins may import, and which of their names; None for all that are public."""

ALSO = ("API_VERSION", "hookimpl")
"""Public names of the modules above that are no classes or functions of theirs."""

HEAD = """\
# The interface of plugins

This is plugin API {version}: all names that a plugin may use, with their signatures. Everything else is
the core's own and may change at any time. `python docs/listing.py` writes this page; a test fails where
the code differs from it.

An entry module says which plugin API it was written for: `seqloom_api = 1` for all of that major
version, or a range as pip has it, `seqloom_api = ">=1.1,<2"`. What breaks plugins raises the first
number, what only adds raises the second. What is to go is deprecated first: it works on, with a warning
that names the plugin that uses it, the replacement, and the day from which it may be gone.

To announce a change: raise `API_VERSION` in `core/seqloom/hooks.py`, run `python docs/listing.py`, and
commit what it wrote.
"""


def listing() -> dict[str, list[str]]:
    """For each module a line for each name, below a class one for each member, indented."""
    found = {}
    for name, names in MODULES.items():
        module = import_module(name)
        found[name] = [line for one in sorted(names or _public(module)) for line in _told(module, one)]
    return found


def names(lines: dict[str, list[str]]) -> set[str]:
    """Every name of the listing, as ``seqloom.modality.Modality.read``."""
    found = set()
    for module, told in lines.items():
        place = module
        for line in told:
            name = re.sub(r"^(class|abstract) ", "", line.strip())
            name = re.split(r"\W", name, maxsplit=1)[0]
            place = place if line.startswith(" ") else f"{module}.{name}"
            found.add(f"{place}.{name}" if line.startswith(" ") else place)
    return found


def recorded(version: str = API_VERSION) -> dict[str, list[str]]:
    """What was recorded of a version of the interface; nothing where none was."""
    file = RECORDS / f"{version}.txt"
    lines: dict[str, list[str]] = {}
    module = ""
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        if line.startswith(" "):
            lines[module].append(line[2:])
        elif line:
            lines[module := line] = []
    return lines


def record(lines: dict[str, list[str]]) -> str:
    """The listing as the test keeps it."""
    return "\n".join("\n".join([name, *(f"  {line}" for line in told), ""]) for name, told in lines.items())


def page(lines: dict[str, list[str]]) -> str:
    """The listing as people read it."""
    parts = [HEAD.format(version=API_VERSION)]
    for name, told in lines.items():
        items = [re.sub(r"^( *)(.*)$", r"\1- `\2`", line) for line in told]
        parts.append("\n".join([f"## `{name}`", "", *items, ""]))
    return "\n".join(parts)


def _public(module: ModuleType) -> list[str]:
    """``__all__``, or the classes and functions that the module itself defines."""
    if hasattr(module, "__all__"):
        return list(module.__all__)
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and not isinstance(value, TypeVar)
        and (getattr(value, "__module__", None) == module.__name__ or name in ALSO)
    ]


def _told(module: ModuleType, name: str) -> Iterator[str]:
    value = getattr(module, name)
    if inspect.isclass(value):
        yield from _class(name, value)
    elif inspect.isfunction(value):
        yield f"{name}{_signature(value)}"
    else:
        yield name


def _class(name: str, kind: type[Any]) -> Iterator[str]:
    bases = [_named(base) for base in getattr(kind, "__orig_bases__", kind.__bases__)]
    bases = [base for base in bases if base not in ("object", "tuple")]
    yield f"class {name}({', '.join(bases)})" if bases else f"class {name}"
    own = dict(inspect.get_annotations(kind))
    for key, annotation in own.items():
        if not key.startswith("_") and key != "model_config":
            yield f"  {key}: {_plain(annotation)}{_default(kind, key)}"
    for key, member in vars(kind).items():
        is_private = key.startswith(("_", "test_")) and key not in ("__init__", "__call__")
        if is_private or key in own or (key == "__init__" and _is_made(kind)):
            continue
        if isinstance(member, property):
            yield f"  {key}: {_plain(inspect.get_annotations(member.fget).get('return', 'Any'))}"
        elif isinstance(member, classmethod | staticmethod) or inspect.isfunction(member):
            function = member if inspect.isfunction(member) else member.__func__
            mark = "abstract " if getattr(function, "__isabstractmethod__", False) else ""
            yield f"  {mark}{key}{_signature(function)}"


def _is_made(kind: type[Any]) -> bool:
    """Whether a constructor follows from fields."""
    is_protocol = getattr(kind, "_is_protocol", False)
    return dataclasses.is_dataclass(kind) or issubclass(kind, BaseModel | tuple) or is_protocol


def _default(kind: type[Any], key: str) -> str:
    if issubclass(kind, BaseModel):
        field = kind.model_fields.get(key)
        return "" if field is None or field.is_required() else f" = {_shown(field.get_default())}"
    if issubclass(kind, tuple):
        defaults = getattr(kind, "_field_defaults", {})
        return f" = {_shown(defaults[key])}" if key in defaults else ""
    field = getattr(kind, "__dataclass_fields__", {}).get(key)
    if field is not None and field.default_factory is not dataclasses.MISSING:
        return " = ..."
    value = vars(kind).get(key, inspect.Parameter.empty)
    return "" if value is inspect.Parameter.empty else f" = {_shown(value)}"


def _shown(value: object) -> str:
    """A default, where it is a plain value."""
    return repr(value) if isinstance(value, bool | int | float | str | tuple | None) else "..."


def _signature(function: Any) -> str:
    signature = inspect.signature(function)
    shown = []
    for name, one in signature.parameters.items():
        stars = {one.VAR_POSITIONAL: "*", one.VAR_KEYWORD: "**"}.get(one.kind, "")
        said = "" if one.annotation is one.empty else f": {_plain(one.annotation)}"
        default = "" if one.default is one.empty else f" = {_shown(one.default)}"
        if one.kind is one.KEYWORD_ONLY and "*" not in "".join(shown):
            shown.append("*")
        if name not in ("self", "cls"):
            shown.append(f"{stars}{name}{said}{default}")
    returned = "" if signature.return_annotation is signature.empty else _plain(signature.return_annotation)
    return f"({', '.join(shown)})" + (f" -> {returned}" if returned else "")


def _named(base: Any) -> str:
    return _plain(base if get_origin(base) else getattr(base, "__name__", base))


def _plain(annotation: object) -> str:
    """An annotation as its file has it, with nothing that depends on the version of Python."""
    if isinstance(annotation, ForwardRef):
        return annotation.__forward_arg__
    if inspect.isclass(annotation) and not get_origin(annotation):
        return annotation.__name__
    return re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Z])|~", "", str(annotation))


def main() -> None:
    """Writes both files."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--amend", action="store_true", help="change what is recorded of this version")
    amend = parser.parse_args().amend
    lines = listing()
    file = RECORDS / f"{API_VERSION}.txt"
    text = record(lines)
    if file.exists() and file.read_text(encoding="utf-8") != text and not amend:
        raise SystemExit(f"plugin API {API_VERSION} is recorded already; raise API_VERSION, or --amend")
    RECORDS.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    PAGE.write_text(page(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
