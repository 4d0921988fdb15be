"""What will go works on, and whoever uses it is told once, by name, what to use instead."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from seqloom import hooks, plugincheck
from seqloom.catalog import Catalog
from seqloom.checkup import examine
from seqloom.deprecation import DeprecatedWarning, Deprecation, deprecated_names, warn_of, warning_of
from seqloom.hooks import EncoderSpec, HookSpecs, hookspec

Install = Callable[..., Path]


def old(what: str) -> Deprecation:
    return Deprecation(what=what, since="1.3", removal=date(2031, 5, 1), replacement="the new one")


def told(what: str) -> str:
    return f"{what}, which is deprecated since plugin API 1.3 and may be gone from 2031-05-01 on: use the new one"


class OldSpecs(HookSpecs):
    """The hooks, some of them old."""

    @hookspec(warn_on_impl=warning_of(old("hook seqloom_coders")))
    def seqloom_coders(self) -> Sequence[EncoderSpec[Any]]:  # type: ignore[empty-body]
        """Named encoders."""

    @hookspec(warn_on_impl_args={"step": warning_of(old("argument 'step' of seqloom_evaluated"))})
    def seqloom_evaluated(self, run: Any, step: int, scores: Any) -> None: ...


SOURCE = """
from seqloom.hooks import EncoderSpec, NoOptions, OldOptions, hookimpl
seqloom_api = 1

@hookimpl
def seqloom_coders():
    return []

@hookimpl
def seqloom_evaluated(run, step):
    pass

def load():
    from fake_old_code import build
    return build

@hookimpl
def seqloom_encoders():
    return [EncoderSpec(name="mine", summary="One", options=OldOptions, load=load)]
"""
CODE = """
import fake_interface
from seqloom.nn.encoder import NoEncoder

def build(options, parts):
    fake_interface.compare(rate=3)
    return NoEncoder(parts.width)
"""


@pytest.fixture
def deprecated(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin that uses a name, a hook, a hook's argument and a function's, all of them old."""
    names = {"OldOptions": (old("seqloom.hooks.OldOptions"), lambda: hooks.NoOptions)}
    monkeypatch.setattr(hooks, "__getattr__", deprecated_names("seqloom.hooks", names), raising=False)
    monkeypatch.setattr(plugincheck, "HookSpecs", OldSpecs)
    monkeypatch.setattr(plugincheck, "HOOKS", (*plugincheck.HOOKS, "seqloom_coders"))

    def compare(rate: int | None = None) -> None:
        if rate is not None:
            warn_of(old("argument 'rate' of seqloom.nn.compare"))

    fake = type(pytest)("fake_interface")
    fake.compare = compare  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "fake_interface", fake)
    site = install("old", SOURCE)
    (site / "fake_old_code.py").write_text(CODE)


@pytest.mark.usefixtures("deprecated")
def test_the_plugin_works_on_and_its_catalog_entry_says_what_is_old() -> None:
    catalog = Catalog.discover()
    (plugin,) = [one for one in catalog.plugins() if one.name == "old"]
    assert plugin.state == "ok"
    assert catalog.get("encoder", "mine").options is hooks.NoOptions
    assert sorted(plugin.troubles) == [
        f"plugin 'old' (seqloom-old 0.1): it uses {told(what)}"
        for what in (
            "argument 'step' of seqloom_evaluated",
            "hook seqloom_coders",
            "seqloom.hooks.OldOptions",
        )
    ]


@pytest.mark.usefixtures("deprecated")
def test_the_doctor_also_lists_what_its_code_uses() -> None:
    catalog = Catalog.discover()
    (plugin,) = [one for one in catalog.plugins() if one.name == "old"]
    found = examine(plugin, catalog)
    argument = told("argument 'rate' of seqloom.nn.compare")
    assert f"it uses {argument}" in found
    used = [line for line in found if line.startswith("it uses ")]
    assert len(used) == len(set(used)) == 4


def test_a_name_that_never_was_is_unknown() -> None:
    get = deprecated_names("seqloom.hooks", {})
    with pytest.raises(AttributeError, match=r"module 'seqloom\.hooks' has no attribute 'Older'"):
        get("Older")


def test_who_uses_it_is_named_wherever_the_core_stands_between(tmp_path: Path) -> None:
    names = {"__name__": "seqloom_imu.modality", "warn": lambda: None, "warn_of": warn_of, "x": old("x")}
    core = {"__name__": "seqloom.nn.encoder", "warn_of": warn_of, "x": old("x")}
    exec("def inner():\n    warn_of(x)", core)
    names["inner"] = core["inner"]
    with pytest.warns(DeprecatedWarning, match=rf"^seqloom_imu uses {told('x')}$"):
        exec("inner()", names)


def test_the_command_line_says_it_once(tmp_path: Path) -> None:
    script = (
        "import sys, warnings\n"
        "from datetime import date\n"
        "from seqloom.cli import main\n"
        "from seqloom.deprecation import Deprecation, warn_of\n"
        "old = Deprecation(what='x', since='1.3', removal=date(2031, 5, 1), replacement='y')\n"
        "def twice():\n"
        "    warn_of(old)\n"
        "    warn_of(old)\n"
        "main.Catalog.from_environment = classmethod(lambda cls: [twice(), twice(), cls()][2])\n"
        "sys.argv = ['seqloom', '--version']\n"
        "main.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=os.environ, check=True
    )
    (line,) = done.stderr.splitlines()
    assert line.startswith("warning: __main__ uses x, which is deprecated since plugin API 1.3")


def test_nothing_of_the_interface_is_used_that_will_go() -> None:
    """Our own plugins' warnings would be errors here; all that they offer is imported."""
    catalog = Catalog.from_environment()
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecatedWarning)
        for plugin in catalog.plugins():
            assert plugin.faults == ()
            for kind, name, _ in plugin.offers:
                catalog.load(kind, name)
