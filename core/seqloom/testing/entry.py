"""The contract of an entry module: it names parts lightly, and says of each what may be set."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pydantic

from seqloom.catalog import Catalog
from seqloom.hooks import Options, Spec, TaskSpec
from seqloom.keys import keys_of, models_in
from seqloom.plugincheck import NAMING_HOOKS

NO_OPTION = "surely_no_option_of_yours"


class EntryContract:
    """What the module must do that a plugin's entry point names.

    Attributes:
        module: Its name.
    """

    module: str

    def specs(self) -> list[tuple[str, Spec[Any]]]:
        """The kind and spec of each part that its hooks name."""
        entry = import_module(self.module)
        asked = [(kind, getattr(entry, hook, list)) for hook, (kind, _) in NAMING_HOOKS.items()]
        return [(kind, spec) for kind, ask in asked for spec in ask()]

    def test_the_entry_module_imports_no_torch(self) -> None:
        assert_light(self.module)

    def test_the_catalog_takes_it(self) -> None:
        plugin = Catalog().introduce("tested", import_module(self.module))
        assert plugin.state == "ok", plugin.reason

    def test_its_hooks_say_the_same_again(self) -> None:
        first, again = ([(kind, spec.name) for kind, spec in self.specs()] for _ in range(2))
        assert first == again

    def test_every_option_is_described(self) -> None:
        for place, options in self.options():
            for key in keys_of(options):
                assert key.description.strip(), f"{place}: option '{key.name}' has no description"

    def test_unknown_options_are_refused(self) -> None:
        for place, options in self.options():
            for model in _with_sections(options):
                try:
                    model(**{NO_OPTION: 1})
                except pydantic.ValidationError as error:
                    kinds = {detail["type"] for detail in error.errors() if detail["loc"] == (NO_OPTION,)}
                else:
                    kinds = set()
                assert kinds, f"{place}: {model.__name__} takes an option that it does not have"

    def test_options_survive_json(self) -> None:
        for place, options in self.options():
            if any(field.is_required() for field in options.model_fields.values()):
                continue  # there are no defaults to write down
            defaults = options()
            copy = options(**json.loads(json.dumps(defaults.model_dump(mode="json"), allow_nan=False)))
            assert copy == defaults, f"{place}: its defaults, written as JSON and read, are others"

    def test_the_code_of_each_part_is_there(self) -> None:
        for kind, spec in self.specs():
            assert callable(spec.load()), f"{kind} '{spec.name}': load gives no builder"  # type: ignore[attr-defined]
            if isinstance(spec, TaskSpec) and spec.demo is not None:
                assert callable(spec.demo()), f"task '{spec.name}': demo gives nothing to call"

    def options(self) -> Iterator[tuple[str, type[Options]]]:
        """Whose they are, and the options of each part, a verb's flags among them."""
        for kind, spec in self.specs():
            yield f"{kind} '{spec.name}'", spec.options
            if isinstance(spec, TaskSpec):
                yield f"flags of task '{spec.name}'", spec.flags


def assert_light(module: str) -> None:
    """A process that imports the module has not imported torch."""
    load = f"import sys; sys.path[:] = {sys.path}; import {module}"
    done = subprocess.run(  # noqa: S603 - our own code, and the author's
        [sys.executable, "-c", f"{load}; sys.exit('torch' in sys.modules)"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr or f"{module} imports torch"


def _with_sections(options: type[pydantic.BaseModel]) -> Iterator[type[pydantic.BaseModel]]:
    yield options
    for field in options.model_fields.values():
        for section in models_in(field.annotation):
            yield from _with_sections(section)
