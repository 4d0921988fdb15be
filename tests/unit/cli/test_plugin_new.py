"""A new plugin: what it may be called, where it may go, and that it is there whole or not at all."""

from __future__ import annotations

import ast
import os
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from seqloom.scaffold import TEMPLATES, writing

Seqloom = Callable[..., Result]
Install = Callable[..., Path]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "place"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("kind", TEMPLATES)
def test_a_plugin_is_written(kind: str, seqloom: Seqloom, place: Path) -> None:
    result = seqloom("plugins", "new", "my-thing", "--kind", kind)
    files = {str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()}
    package = "seqloom-my-thing/src/seqloom_my_thing"
    assert {f"seqloom-my-thing/{name}" for name in ("pyproject.toml", "README.md", ".gitignore")} <= files
    assert {f"{package}/{name}" for name in ("__init__.py", "py.typed", "demo.py")} <= files
    assert f"seqloom-my-thing/tests/test_{kind}.py" in files
    assert {line.removeprefix("wrote ") for line in result.stderr.splitlines() if "wrote" in line} == files
    assert result.stdout.splitlines()[0] == "seqloom plugins install --editable ./seqloom-my-thing"
    for name in files:
        text = (place / name).read_text(encoding="utf-8")
        assert "$" not in text, name
        if name.endswith(".py"):
            ast.parse(text)
    assert oct((place / "seqloom-my-thing").stat().st_mode)[-3:] == "755"


def test_its_project_is_a_distribution(seqloom: Seqloom, place: Path) -> None:
    seqloom("plugins", "new", "seqloom-my-thing", "--kind", "task", "--folder", "a/b")
    project = tomllib.loads((place / "a/b/pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["name"] == "seqloom-my-thing"
    assert project["entry-points"] == {"seqloom": {"my-thing": "seqloom_my_thing"}}
    assert "seqloom>=0.1,<0.2" in project["dependencies"]
    assert "seqloom-text>=0.1,<0.2" in project["dependencies"]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("My_Task", "'my-task' would do"),
        ("my--task", "'my-task' would do"),
        ("2d-map", "begins with a letter; 'd-map' would do"),
        ("../evil", "'evil' would do"),
        ("täglich", "cannot be a plugin's name"),
        ("-", "cannot be a plugin's name"),
        ("a" * 41, "too long"),
        ("class", "a word of Python's"),
        ("match", "a word of Python's"),
        ("seqloom", "the core's"),
        ("translation", "is taken by the task 'translation'"),
        ("translate", "is taken by the verb of the task 'translation'"),
        ("train", "is taken by the command `seqloom train`"),
        ("speech", "is taken by"),
    ],
)
def test_a_name_that_cannot_be_one_is_refused(
    name: str, wanted: str, seqloom: Seqloom, place: Path
) -> None:
    result = seqloom("plugins", "new", "--kind", "task", "--", name, code=2)
    assert wanted in result.stderr
    assert list(place.iterdir()) == []


def test_parts_of_other_kinds_may_have_the_name(seqloom: Seqloom) -> None:
    assert "the encoder 'rnn'" in seqloom("plugins", "new", "rnn", "--kind", "encoder", code=2).stderr
    seqloom("plugins", "new", "rnn", "--kind", "modality")


@pytest.mark.usefixtures("parts")
def test_a_name_that_is_installed_is_refused(seqloom: Seqloom, install: Install) -> None:
    install("other", None, distribution="seqloom-lone")
    assert (
        "is taken by plugin 'parts'" in seqloom("plugins", "new", "parts", "--kind", "task", code=2).stderr
    )
    told = seqloom("plugins", "new", "lone", "--kind", "task", code=2).stderr
    assert "is taken by the installed distribution seqloom-lone" in told


def test_a_package_that_can_be_imported_is_not_hidden(
    seqloom: Seqloom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "seqloom_lying.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    told = seqloom("plugins", "new", "lying", "--kind", "encoder", code=2).stderr
    assert "is taken by the package seqloom_lying" in told


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.mkdir(),
        lambda path: path.write_text("mine"),
        lambda path: path.symlink_to("nowhere"),
    ],
)
def test_what_is_there_is_left_as_it_is(
    make: Callable[[Path], object], seqloom: Seqloom, place: Path
) -> None:
    there = place / "seqloom-my-thing"
    make(there)
    before = (os.lstat(there), sorted(place.rglob("*")))
    told = seqloom("plugins", "new", "my-thing", "--kind", "task", code=2).stderr
    assert "is there already, and is left as it is; name another with --folder" in told
    assert (os.lstat(there), sorted(place.rglob("*"))) == before


def test_nothing_is_left_of_one_that_cannot_be_written(
    seqloom: Seqloom, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, text: str, encoding: str) -> None:
        if self.suffix == ".toml":
            raise OSError(28, "No space left on device")
        self.touch()

    monkeypatch.setattr(writing.Path, "write_text", full)
    told = seqloom("plugins", "new", "my-thing", "--kind", "task", code=74).stderr
    assert "cannot write it: No space left on device" in told
    assert list(place.iterdir()) == []


def test_another_kind_is_refused(seqloom: Seqloom) -> None:
    assert (
        "'attention' is not one of" in seqloom("plugins", "new", "x", "--kind", "attention", code=2).stderr
    )
