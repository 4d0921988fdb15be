"""Directives that write reference tables from the code itself, so that they cannot rot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any, ClassVar, final

from docutils import nodes
from pydantic import BaseModel
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from seqloom.catalog import Catalog
from seqloom.config import JobConfig
from seqloom.keys import Key, keys_of


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def cell(text: str) -> str:
    """Text that stands in a table's cell as it is."""
    for character in "|$<":
        text = text.replace(character, "\\" + character)
    return " ".join(text.split())


def key_table(header: str, model: type[BaseModel]) -> str:
    """Each key that a model has, what it takes, its default and what it does."""
    merged: dict[str, Key] = {}
    for key in keys_of(model):  # variants of a section share keys; the first variant is the default
        first = merged.setdefault(key.name, key)
        if first.type != key.type:
            merged[key.name] = replace(first, type=f"{first.type} | {key.type}")
    rows = (
        (f"`{key.name}`", *map(cell, (key.type, key.default, key.description))) for key in merged.values()
    )
    return table((header, "takes", "default", "what it does"), rows)


def job_keys(_: str) -> str:
    """Every key of a job file."""
    return key_table("key", JobConfig)


def parts(kind: str) -> str:
    """Every installed part of a kind, with its options."""
    blocks = []
    for spec in Catalog.discover().specs(kind):
        rows = key_table("option", spec.options) if spec.options.model_fields else "No options."
        blocks.append(f"**`{spec.name}`**: {cell(spec.summary)}.\n\n{rows}")
    return "\n\n".join(blocks)


def options(place: str) -> str:
    """What may be set of something, as ``module:Class``."""
    module, _, name = place.partition(":")
    model: type[BaseModel] = getattr(import_module(module), name)
    return key_table("option", model)


def presets(task: str) -> str:
    """What each preset of a task sets."""
    found = Catalog.discover().get("task", task).presets
    values = {name: dict(_flat(preset)) for name, preset in found.items()}
    keys = list(dict.fromkeys(key for preset in values.values() for key in preset))
    rows = ([f"`{key}`", *(cell(str(preset.get(key, ""))) for preset in values.values())] for key in keys)
    return table(("key", *(f"`{name}`" for name in values)), rows)


def _flat(value: Any, prefix: str = "") -> Iterable[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        yield prefix, ", ".join(map(str, value)) if isinstance(value, list) else value
        return
    for key, child in value.items():
        yield from _flat(child, f"{prefix}.{key}" if prefix else key)


WRITERS: Mapping[str, Callable[[str], str]] = {
    "job-keys": job_keys,
    "options": options,
    "parts": parts,
    "presets": presets,
}


@final
class Reference(SphinxDirective):
    """A table by one of :data:`WRITERS`, which is given the directive's argument."""

    optional_arguments: ClassVar[int] = 1

    def run(self) -> list[nodes.Node]:
        argument = self.arguments[0] if self.arguments else ""
        return self.parse_text_to_nodes(WRITERS[self.name](argument))


def setup(app: Sphinx) -> dict[str, Any]:
    """Registers the directives."""
    for name in WRITERS:
        app.add_directive(name, Reference)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
