from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from family import FACTS, add_family
from typer.testing import Result

from seqloom.registry.drawn import as_mermaid, as_tree
from seqloom.registry.records import DataFile
from seqloom.registry.store import Registry

SHA256_OF_X = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
Command = Callable[..., Result]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A registry with all of them; do not change it."""
    made = f"sqlite:///{tmp_path_factory.mktemp('family')}/registry.db"
    with Registry(made) as registry:
        add_family(registry)
    return made


@pytest.fixture
def command(seqloom: Command, url: str) -> Command:
    """Runs ``seqloom`` on that registry."""
    return lambda *words, code=0: seqloom("--registry", url, *words, code=code)


@pytest.mark.parametrize(
    ("words", "subject"),
    [
        (("models", "lineage", "student"), "models:/student/1"),
        (("models", "lineage", "teacher@champion"), "models:/teacher/1"),
        (("runs", "lineage", "tell"), "run:telling"),
        (("data", "lineage", "d" * 64), "data:" + "d" * 64),
    ],
)
def test_lineage_in_each_form(command: Command, url: str, words: tuple[str, ...], subject: str) -> None:
    with Registry(url) as registry:
        lineage = registry.lineage(subject)
    assert lineage.about == subject

    assert command(*words).stdout == as_tree(lineage) + "\n"
    assert command(*words, "--format", "mermaid").stdout == as_mermaid(lineage) + "\n"
    found = json.loads(command(*words, "--format", "json").stdout)
    assert found["about"] == subject
    assert found["edges"] == [list(edge) for edge in lineage.edges]
    assert [(one["id"], one["kind"]) for one in found["nodes"]] == [
        (one.id, one.kind) for one in lineage.nodes
    ]
    assert json.loads(command(*words, "--json").stdout) == found


def test_the_limit(command: Command) -> None:
    assert "1 more train data" not in command("models", "lineage", "teacher").stdout
    assert "1 more train data" in command("models", "lineage", "teacher", "--limit", "1").stdout
    command("models", "lineage", "teacher", "--limit", "0", code=2)


def test_a_file_of_data(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "new.de"
    file.write_bytes(b"x")

    assert SHA256_OF_X in command("data", "lineage", file, code=78).stderr
    assert "there is no such file" in command("data", "lineage", tmp_path / "other", code=65).stderr


def test_a_file_that_was_read(command: Command, seqloom: Command, tmp_path: Path) -> None:
    file = tmp_path / "new.de"
    file.write_bytes(b"x")
    url = f"sqlite:///{tmp_path}/registry.db"
    with Registry(url) as registry:
        registry.start_run(
            **FACTS, id="one", kind="train", data=[DataFile(path="old.de", sha256=SHA256_OF_X)]
        )

    lines = seqloom("--registry", url, "data", "lineage", file).stdout.splitlines()
    assert lines[0].startswith("data old.de")
    assert lines[-1].startswith("└─ train one")


def test_what_is_not_there(command: Command) -> None:
    assert "Did you mean 'teacher'?" in command("models", "lineage", "teachr", code=78).stderr
    assert "no run 'x'" in command("runs", "lineage", "x", code=78).stderr
