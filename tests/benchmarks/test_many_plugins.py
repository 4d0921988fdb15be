"""The distributions that the benchmark makes are plugins as others are, each in use."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from seqloom.catalog import Catalog

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_each_is_found_and_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    spec = importlib.util.spec_from_file_location("many_plugins", BENCHMARKS / "many_plugins.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.make(tmp_path, 3)
    monkeypatch.syspath_prepend(str(tmp_path))
    made = [plugin for plugin in Catalog.discover().plugins() if plugin.name.startswith("fake-")]
    assert [(plugin.name, plugin.version) for plugin in made] == [
        (f"fake-{n}", f"0.{n}.0") for n in range(3)
    ]
    assert all(plugin.troubles == [] for plugin in made)
    for name in ("contest", "peers", *(f"seqloom_fake_{number}" for number in range(3))):
        sys.modules.pop(name, None)
