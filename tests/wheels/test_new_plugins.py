"""What ``seqloom plugins new`` writes passes its own checks at once, whatever it is called."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seqloom.catalog import Catalog
from seqloom.scaffold import TEMPLATES, Names, write_plugin
from seqloom.scaffold.names import LONGEST

LONG = "a-name-as-long-as-any-name-may-ever-be-x"
ENTRY_POINTS = "[seqloom]\n{name} = {package}\n"


@pytest.fixture(params=TEMPLATES)
def plugin(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Names, Path]:
    """A new plugin with the longest name there may be, and its folder."""
    assert len(LONG) == LONGEST
    names = Names.chosen(LONG, request.param, Catalog())
    write_plugin(names, request.param, tmp_path / "new")
    return names, tmp_path / "new"


def run(*words: str, folder: Path, **variables: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=None if not variables else {"PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def test_it_is_clean(plugin: tuple[Names, Path]) -> None:
    _, folder = plugin
    run("ruff", "check", "--no-cache", ".", folder=folder)
    run("ruff", "format", "--no-cache", "--check", ".", folder=folder)


@pytest.mark.slow
def test_it_is_typed(plugin: tuple[Names, Path], tmp_path_factory: pytest.TempPathFactory) -> None:
    cache = tmp_path_factory.getbasetemp() / "mypy"  # one for all kinds: most of the time is torch's
    run("mypy", "--cache-dir", str(cache), folder=plugin[1])


@pytest.mark.slow
def test_its_tests_pass(plugin: tuple[Names, Path]) -> None:
    names, folder = plugin
    info = folder / "src" / f"{names.package}-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {names.distribution}\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS.format(name=names.name, package=names.package))
    run(
        "pytest",
        "-q",
        "-W",
        "error",
        "-p",
        "no:cacheprovider",
        folder=folder,
        PYTHONPATH=str(folder / "src"),
    )


@pytest.mark.slow
def test_one_can_be_written_from_the_wheel(
    fresh: Callable[..., Any], wheels: dict[str, Path], tmp_path: Path
) -> None:
    environment = fresh(wheels["seqloom"])
    for kind in TEMPLATES:
        environment.run("seqloom", "plugins", "new", f"my-{kind}", "--kind", kind, cwd=tmp_path)
        assert (tmp_path / f"seqloom-my-{kind}" / "src" / f"seqloom_my_{kind}" / "__init__.py").is_file()
