"""``seqloom plugins check``: what may be checked, the report, and the exit code."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from seqloom.cli import plugin_check

Seqloom = Callable[..., Result]
ENTRY = """
from pydantic import Field
from seqloom.hooks import EncoderSpec, Options, hookimpl
seqloom_api = 1

class Given(Options):
    layers: int = 1

def load():
    from seqloom.nn.encoder import NoEncoder
    return lambda options, parts: NoEncoder(parts.width)

@hookimpl
def seqloom_encoders():
    return [EncoderSpec(name="given", summary="Given", options=Given, load=load)]
"""
PROJECT = """
[project]
name = "seqloom-given"
version = "1.2"
[project.entry-points.seqloom]
given = "seqloom_given"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plugin's source, in the working folder, not installed."""
    monkeypatch.chdir(tmp_path)
    source = tmp_path / "given" / "src" / "seqloom_given"
    source.mkdir(parents=True)
    (source / "__init__.py").write_text(ENTRY)
    (tmp_path / "given" / "pyproject.toml").write_text(PROJECT)
    return tmp_path / "given"


@pytest.mark.slow
def test_a_folder_is_checked_without_being_installed(folder: Path, seqloom: Seqloom) -> None:
    result = seqloom("plugins", "check", "./given", "--json", code=78)
    verdicts = json.loads(result.stdout)
    [broken] = [verdict for verdict in verdicts if verdict["state"] == "broken"]
    assert broken["check"] == "every option is described"
    assert broken["part"] == "plugin 'given' (seqloom-given 1.2)"
    assert f"seqloom-given: {len(verdicts) - 1} kept, 1 broken" in result.stderr
    assert result.stderr.endswith("error: seqloom-given does not do all that Seqloom relies on\n")


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the process that checks finds, and what it was started with."""
    facts: dict[str, Any] = {"verdicts": [], "status": 0}

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        facts["command"] = command[1:]
        lines = [json.dumps(verdict) + "\n" for verdict in facts["verdicts"]]
        Path(command[4]).write_text("".join(lines))
        return subprocess.CompletedProcess(command, facts["status"])

    monkeypatch.setattr(plugin_check.subprocess, "run", run)
    return facts


def verdict(state: str, advice: str = "") -> dict[str, str]:
    return {"check": "it is good", "part": "task 'given'", "state": state, "advice": advice}


def test_the_report_is_a_table(child: dict[str, Any], seqloom: Seqloom) -> None:
    child["verdicts"] = [verdict("kept"), verdict("unchecked", "write a test")]
    result = seqloom("plugins", "check", "text")
    assert [line.split("  ")[0].strip() for line in result.stdout.splitlines()] == [
        "check",
        *["it is good"] * 2,
    ]
    assert "write a test" in result.stdout
    assert result.stderr == "seqloom-text: 1 kept, 1 unchecked\n"


def test_an_installed_plugin_has_its_tests_where_it_is_in_place(
    child: dict[str, Any], seqloom: Seqloom, monkeypatch: pytest.MonkeyPatch
) -> None:
    tests = Path(__file__).parents[3] / "plugins" / "text" / "tests"
    origin = json.dumps({"url": (tests.parent).as_uri(), "dir_info": {"editable": True}})

    class Installed:
        def __init__(self, written: str | None) -> None:
            self.read_text = lambda name: written

    monkeypatch.setattr(plugin_check.importlib.metadata, "distribution", lambda name: Installed(origin))
    seqloom("plugins", "check", "seqloom-text")
    assert child["command"][:3] == ["-m", "seqloom.testing", "seqloom-text"]
    assert child["command"][4:] == [str(tests)]
    monkeypatch.setattr(plugin_check.importlib.metadata, "distribution", lambda name: Installed(None))
    seqloom("plugins", "check", "text")
    assert child["command"][4:] == []


def test_code_that_ends_the_process_is_told(child: dict[str, Any], seqloom: Seqloom) -> None:
    child |= {"status": -11, "verdicts": [verdict("kept")]}
    told = seqloom("plugins", "check", "text", code=78).stderr
    assert "checking seqloom-text ended in exit status -11 after 1 checks" in told


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (None, "No such file or directory; name a plugin's folder"),
        ("[project]\nname = 'x'\n", "no plugin: no [project.entry-points.seqloom] in it"),
        ("[project", "pyproject.toml: "),
        (PROJECT.replace("seqloom_given", "seqloom_gone"), "no seqloom_gone in it or its src"),
    ],
)
def test_a_folder_that_is_no_plugin_is_refused(
    text: str | None, wanted: str, folder: Path, seqloom: Seqloom
) -> None:
    file = folder / "pyproject.toml"
    file.unlink() if text is None else file.write_text(text)
    assert wanted in seqloom("plugins", "check", "./given", code=2).stderr


def test_a_name_is_no_folder(folder: Path, seqloom: Seqloom) -> None:
    assert "no plugin 'given'" in seqloom("plugins", "check", "given", code=78).stderr
    assert "Did you mean 'text'?" in seqloom("plugins", "check", "texts", code=78).stderr


def test_a_disabled_plugin_is_not_checked(seqloom: Seqloom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQLOOM_DISABLE", "text")
    assert "is disabled" in seqloom("plugins", "check", "text", code=78).stderr
