"""Plugins use what is public of the core and of each other, as a stranger's plugin would have to."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = {
    *("seqloom.batch", "seqloom.config", "seqloom.data.blobs", "seqloom.drawing", "seqloom.errors"),
    *("seqloom.head", "seqloom.hooks", "seqloom.metrics", "seqloom.metrics.base", "seqloom.modality"),
    *("seqloom.nn.attention", "seqloom.nn.ctc", "seqloom.nn.decoder", "seqloom.nn.embedding"),
    *("seqloom.nn.encoder", "seqloom.nn.positions", "seqloom.storage", "seqloom.task"),
    *("seqloom.testing", "seqloom.tokenizer", "seqloom.vocabulary"),
}
"""Modules of the core that plugins may build on: interfaces, records, and the parts of a network."""


def said(readme: Path) -> set[str]:
    """The modules that a plugin's README gives to other plugins."""
    found = re.search(
        r"Other plugins may build on (.+?)All else may change", readme.read_text("utf-8"), re.DOTALL
    )
    return set(re.findall(r"`(seqloom_[a-z_.]+)`", found[1])) if found else set()


PUBLIC = CORE.union(*map(said, ROOT.glob("plugins/*/README.md")))


def sources() -> list[Path]:
    templates = ROOT.glob("core/seqloom/scaffold/templates/*/src/package/*.py.template")
    return sorted([*ROOT.glob("plugins/*/src/**/*.py"), *templates])


def foreign(path: Path) -> tuple[ast.Module, dict[str, str]]:
    """A file, and what it has of others' packages: each name, and the module that it comes from."""
    package = next((part for part in path.parts if part.startswith("seqloom_")), "$package")
    tree = ast.parse(path.read_text(encoding="utf-8").replace("$package", "own").replace("$api", "1"))
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names |= {alias.name: str(node.module) for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name: alias.name for alias in node.names}
    is_ours = {name: module.split(".")[0] for name, module in names.items()}
    return tree, {
        name: names[name] for name, top in is_ours.items() if top.startswith("seqloom") and top != package
    }


def trespasses(path: Path) -> Iterator[str]:
    tree, names = foreign(path)
    for name, module in names.items():
        if any(part.startswith("_") for part in (name, *module.split("."))):
            yield f"imports {module}.{name}, which is private"
        if module not in PUBLIC:
            yield f"imports {module}, which is not for plugins"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.endswith("__"):
            owner = node.value
            if isinstance(owner, ast.Name) and owner.id in names:
                yield f"uses {owner.id}.{node.attr}, which is private"


@pytest.mark.parametrize("path", sources(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_plugins_use_public_names_only(path: Path) -> None:
    assert list(trespasses(path)) == []


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("from seqloom.task import _hidden", "imports seqloom.task._hidden, which is private"),
        ("from seqloom.trainer import Trainer", "imports seqloom.trainer, which is not for plugins"),
        ("import seqloom.build", "imports seqloom.build, which is not for plugins"),
        ("from seqloom_ocr.task import Ocr", "imports seqloom_ocr.task, which is not for plugins"),
        ("from seqloom.task import Task\nTask._x()", "uses Task._x, which is private"),
    ],
)
def test_a_trespass_is_seen(code: str, wanted: str, tmp_path: Path) -> None:
    file = tmp_path / "seqloom_stranger" / "task.py"
    file.parent.mkdir()
    file.write_text(code)
    assert any(told.startswith(wanted) for told in trespasses(file))


@pytest.mark.parametrize("module", sorted(PUBLIC))
def test_a_public_module_is_there(module: str) -> None:
    places = [base / module.replace(".", "/") for base in (ROOT / "core", *ROOT.glob("plugins/*/src"))]
    assert any(place.with_suffix(".py").is_file() or place.is_dir() for place in places)
