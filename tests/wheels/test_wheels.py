"""What a user installs: wheels that hold what they should, and work beside each other."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "core" / "seqloom" / "scaffold" / "templates"


@pytest.fixture(scope="module")
def everything(fresh: Callable[..., Any], wheels: dict[str, Path]) -> Any:
    """An environment with the core's wheel and those of all plugins."""
    return fresh(*wheels.values())


def content(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_a_wheel_holds_its_package_alone(wheels: dict[str, Path]) -> None:
    for name, wheel in wheels.items():
        package = name.replace("-", "_")
        tops = {file.split("/")[0] for file in content(wheel)}
        assert tops == {package, f"{package}-{wheel.name.split('-')[1]}.dist-info"}
        assert f"{package}/py.typed" in content(wheel)


def test_the_templates_of_new_plugins_are_in_the_cores(wheels: dict[str, Path]) -> None:
    wanted = {
        f"seqloom/scaffold/templates/{file.relative_to(TEMPLATES)}"
        for file in TEMPLATES.rglob("*")
        if file.is_file()
    }
    assert len(wanted) > 15
    assert wanted <= content(wheels["seqloom"])


def test_all_that_the_page_is_made_of_is_in_the_cores(wheels: dict[str, Path]) -> None:
    page = ROOT / "core" / "seqloom" / "page"
    wanted = {
        f"seqloom/page/{file.relative_to(page)}"
        for folder in ("templates", "static")
        for file in (page / folder).iterdir()
    }
    assert {"seqloom/page/static/htmx.min.js", "seqloom/page/templates/base.html"} <= wanted
    assert wanted <= content(wheels["seqloom"])


@pytest.mark.slow
def test_all_plugins_work_beside_the_core(everything: Any, wheels: dict[str, Path], tmp_path: Path) -> None:
    records = json.loads(everything.run("seqloom", "plugins", "list", "--json", cwd=tmp_path).stdout)
    assert {record["distribution"] for record in records} == set(wheels)
    assert {record["state"] for record in records} == {"ok"}
    healthy = json.loads(everything.run("seqloom", "doctor", "--json", cwd=tmp_path).stdout)
    assert all(finding["healthy"] for finding in healthy)  # the code of each part imports


@pytest.mark.slow
@pytest.mark.parametrize(
    "plugin", sorted(path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml"))
)
def test_a_plugin_needs_only_what_it_says(
    plugin: str, fresh: Callable[..., Any], wheels: dict[str, Path], tmp_path: Path
) -> None:
    with zipfile.ZipFile(wheels[f"seqloom-{plugin}"]) as archive:
        [metadata] = [
            archive.read(name).decode() for name in archive.namelist() if name.endswith("/METADATA")
        ]
    needs = [line for line in metadata.splitlines() if line.startswith("Requires-Dist: seqloom")]
    names = {line.split()[1].split(">")[0].split("<")[0] for line in needs if "extra ==" not in line}
    assert "seqloom" in names
    alone = fresh(*(wheels[name] for name in {*names, f"seqloom-{plugin}"}))
    findings = json.loads(alone.run("seqloom", "doctor", "--json", cwd=tmp_path).stdout)
    [found] = [finding for finding in findings if finding["name"] == f"plugin {plugin}"]
    assert found["healthy"], found
