"""Installs specimens as distributions on a path of their own."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from specimens import Broken

Put = Callable[[str, Broken], Path]


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Put]:
    """``put("too-new", specimen)`` installs module fake_too_new of distribution seqloom-too-new 0.1."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", str(site))
    before = set(sys.modules)

    def install(name: str, specimen: Broken) -> Path:
        distribution, module = f"seqloom-{name}", f"fake_{name.replace('-', '_')}"
        info = site / f"{distribution.replace('-', '_')}-0.1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(specimen.metadata.format(distribution=distribution))
        entry = specimen.entry.format(name=name, module=module)
        (info / "entry_points.txt").write_text(f"[seqloom]\n{entry}\n", encoding=specimen.encoding)
        if specimen.source is not None:
            (site / f"{module}.py").write_text(specimen.source)
        importlib.invalidate_caches()
        return site

    yield install
    for module in set(sys.modules) - before:
        if module.startswith("fake_"):
            del sys.modules[module]
