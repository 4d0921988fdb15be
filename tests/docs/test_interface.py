"""The interface of plugins is what was recorded of it, and changes only where that is announced."""

from __future__ import annotations

import ast
import importlib.util
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pages
import pytest

from seqloom.hooks import API_VERSION
from seqloom.modality import Modality

HOW = (
    "The interface of plugins is not what tests/interface/{version}.txt records. If that is meant, announce it: "
    "raise API_VERSION in core/seqloom/hooks.py (the first number where plugins break, else the second), run "
    "`python docs/listing.py`, and commit what it wrote (`--amend` where this version was never released)."
)


def load() -> Any:
    spec = importlib.util.spec_from_file_location("listing", pages.ROOT / "docs" / "listing.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


listing = load()


def changes() -> list[str]:
    """What differs from the record, a line each."""
    told = []
    now, then = listing.listing(), listing.recorded()
    for module in now.keys() | then.keys():
        before, after = then.get(module, []), now.get(module, [])
        told += [f"- {module}: {line.strip()}" for line in before if line not in after]
        told += [f"+ {module}: {line.strip()}" for line in after if line not in before]
    return sorted(told) or (["the order of lines"] if now != then else [])


def test_the_interface_is_what_is_recorded() -> None:
    assert changes() == [], HOW.format(version=API_VERSION)


def test_the_page_is_what_is_recorded() -> None:
    page = (pages.ROOT / "docs" / "interface.md").read_text(encoding="utf-8")
    assert page == listing.page(listing.listing()), "run `python docs/listing.py`"


def test_a_change_that_nobody_announced_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(self: Any, raw: str, loudly: bool = False) -> Any:
        raise NotImplementedError

    monkeypatch.setattr(Modality, "read", read)
    monkeypatch.delattr(Modality, "measure")
    assert changes() == [
        "+ seqloom.modality: read(raw: str, loudly: bool = False) -> Any",
        "- seqloom.modality: abstract read(raw: str) -> Tensor",
        "- seqloom.modality: measure(features: Tensor) -> Sequence[float]",
    ]


def test_no_name_goes_within_a_major_version() -> None:
    versions = sorted(
        tuple(map(int, file.stem.split("."))) for file in (pages.ROOT / "tests" / "interface").glob("*.txt")
    )
    assert ".".join(map(str, versions[-1])) == API_VERSION
    for before, after in itertools.pairwise(versions):
        if before[0] == after[0]:
            one, two = (listing.names(listing.recorded(".".join(map(str, v)))) for v in (before, after))
            assert one - two == set(), f"{after} breaks plugins: raise the first number"


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == "seqloom":
            yield from (f"{node.module}.{one.name}" for one in node.names)
        elif isinstance(node, ast.Import):
            yield from (one.name for one in node.names if one.name.split(".")[0] == "seqloom")


def test_our_own_plugins_need_nothing_else() -> None:
    public = listing.names(listing.recorded())
    used = {name for path in pages.ROOT.glob("plugins/*/src/**/*.py") for name in imported(path)}
    assert len(used) > 20
    assert used - public == set()


def test_names_are_told_with_their_place() -> None:
    public = listing.names(listing.recorded())
    assert {
        "seqloom.hooks.Options",
        "seqloom.modality.Modality.read",
        "seqloom.batch.length_mask",
    } <= public
