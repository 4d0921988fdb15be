"""Installing and uninstalling: what pip is asked for, and what is said of what it did."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from seqloom.cli import plugin_install
from seqloom.cli.plugin_install import FIRST_PARTY, requirement
from seqloom.errors import UsageError

Seqloom = Callable[..., Result]
Install = Callable[..., Path]
ROOT = Path(__file__).parents[3]
PIP = [sys.executable, "-m", "pip"]

OFFERING = """
from seqloom.hooks import EncoderSpec, NoOptions, hookimpl
seqloom_api = 1

@hookimpl
def seqloom_encoders():
    return [EncoderSpec(name="still", summary="Says nothing", options=NoOptions, load=lambda: None)]
"""


class FakePip:
    """In pip's place: keeps what it is asked, does what a test says, ends as a test says."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.status = 0
        self.does: Callable[[], object] = lambda: None
        self.records: list[dict[str, Any]] = []

    def run(self, command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        if command[:3] == PIP:
            self.asked.append(command[3:])
            self.does()
            return subprocess.CompletedProcess(command, self.status)
        assert command[1:] == ["-m", "seqloom", "plugins", "list", "--json"]
        return subprocess.CompletedProcess(command, 0, stdout=json.dumps(self.records))


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> FakePip:
    fake = FakePip()
    monkeypatch.setattr(plugin_install.subprocess, "run", fake.run)
    return fake


def requested(site: Path, name: str) -> None:
    (site / f"{name.replace('-', '_')}-0.1.dist-info" / "REQUESTED").touch()


def record(name: str, **changed: Any) -> dict[str, Any]:
    offers = [{"kind": "encoder", "name": "still", "summary": "Says nothing"}]
    known = {
        "plugin": name,
        "distribution": f"seqloom-{name}",
        "version": "0.1",
        "state": "ok",
        "reason": "",
    }
    return known | {"offers": offers} | changed


# What pip is asked for ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("speech", "seqloom-speech"),
        ("seqloom-speech", "seqloom-speech"),
        ("Speech", "seqloom-speech"),
        ("textual", "textual"),
        ("seqloom-imu", "seqloom-imu"),
        ("seqloom-speech>=0.1", "seqloom-speech>=0.1"),
        ("./speech", "./speech"),
        ("dist/speach-1.0-py3-none-any.whl", "dist/speach-1.0-py3-none-any.whl"),
        ("speach>=0", "speach>=0"),
        ("git+file:///here/imu", "git+file:///here/imu"),
    ],
)
def test_requirements(said: str, wanted: str) -> None:
    assert requirement(said) == wanted


def test_every_plugin_of_ours_has_a_short_name() -> None:
    assert {path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml")} <= FIRST_PARTY


@pytest.mark.parametrize("said", ["speach", "seqloom-speach", "translations", "dialog"])
def test_a_near_miss_installs_nothing_of_a_stranger(said: str) -> None:
    with pytest.raises(UsageError, match=f"no plugin of Seqloom's own is called '{said}'. Did you mean"):
        requirement(said)


def test_pip_gets_no_options_in_disguise(pip: FakePip, seqloom: Seqloom) -> None:
    told = seqloom("plugins", "install", "--", "--index-url=elsewhere", code=2).stderr
    assert "'--index-url=elsewhere' is not a plugin" in told
    assert pip.asked == []


def test_the_command_is_shown_and_run(pip: FakePip, seqloom: Seqloom) -> None:
    told = seqloom("plugins", "install", "--upgrade", "speech", "./my imu").stderr
    assert told.splitlines()[0] == f"$ {sys.executable} -m pip install --upgrade seqloom-speech './my imu'"
    seqloom("plugins", "install", "-e", "./imu", "./other")
    assert pip.asked == [
        ["install", "--upgrade", "seqloom-speech", "./my imu"],
        ["install", "--editable", "./imu", "--editable", "./other"],
    ]


def test_pips_exit_status_is_told(pip: FakePip, seqloom: Seqloom) -> None:
    pip.status = 23
    result = seqloom("plugins", "install", "speech", code=78)
    assert result.stderr.endswith("error: pip ended with exit status 23; what it says above tells why\n")


def test_without_pip_it_says_so(seqloom: Seqloom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin_install.importlib.util, "find_spec", lambda name: None)
    for command in (("install", "speech"), ("uninstall", "speech")):
        told = seqloom("plugins", *command, code=78).stderr
        assert f"{sys.executable} has no pip: `{sys.executable} -m ensurepip` brings it" in told


# What is said of what it did ---------------------------------------------------------------------------


def test_what_is_new_is_listed(pip: FakePip, seqloom: Seqloom, install: Install) -> None:
    pip.does = lambda: requested(install("still", OFFERING), "seqloom-still")
    pip.records = [record("still"), record("another")]
    result = seqloom("plugins", "install", "./still")
    assert "plugin still (seqloom-still 0.1): ok" in result.stderr
    header, row = result.stdout.splitlines()
    assert header.split() == ["kind", "name", "summary", "plugin", "version"]
    assert row.split() == ["encoder", "still", "Says", "nothing", "seqloom-still", "0.1"]


def test_what_was_there_already_is_listed(pip: FakePip, seqloom: Seqloom, install: Install) -> None:
    install("still", OFFERING)
    pip.records = [record("still")]
    assert "Says nothing" in seqloom("plugins", "install", "seqloom-still").stdout
    assert seqloom("plugins", "install", "./elsewhere").stdout == ""  # nothing new came of it


def test_one_that_was_set_aside_is_an_error(pip: FakePip, seqloom: Seqloom, install: Install) -> None:
    pip.does = lambda: requested(install("still", "raise ImportError('no libfoo')"), "seqloom-still")
    pip.records = [record("still", state="quarantined", reason="no libfoo", offers=[])]
    told = seqloom("plugins", "install", "./still", code=78).stderr
    assert "error: plugin 'still' was installed and set aside: no libfoo" in told


def test_what_is_no_plugin_is_an_error(pip: FakePip, seqloom: Seqloom, install: Install) -> None:
    def does() -> None:
        site = install("plain", "", distribution="plain")
        requested(site, "plain")
        (site / "plain-0.1.dist-info" / "entry_points.txt").unlink()

    pip.does = does
    told = seqloom("plugins", "install", "plain", code=78).stderr
    assert "pip installed plain 0.1, which is no plugin of Seqloom's" in told
    assert f"`{sys.executable} -m pip uninstall plain` removes it" in told


def test_what_a_plugin_needs_may_be_anything(pip: FakePip, seqloom: Seqloom, install: Install) -> None:
    def does() -> None:
        site = install("plain", "", distribution="plain")  # nobody asked for it: a dependency
        (site / "plain-0.1.dist-info" / "entry_points.txt").unlink()

    pip.does = does
    assert seqloom("plugins", "install", "./still").stdout == ""


# Uninstalling ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["still", "seqloom-still", "Seqloom_Still"])
def test_uninstall(name: str, pip: FakePip, seqloom: Seqloom, install: Install) -> None:
    install("still", OFFERING)
    told = seqloom("plugins", "uninstall", name).stderr
    assert told == f"$ {sys.executable} -m pip uninstall --yes seqloom-still\n"
    assert pip.asked == [["uninstall", "--yes", "seqloom-still"]]


def test_who_needs_it_is_told(pip: FakePip, seqloom: Seqloom) -> None:
    told = seqloom("plugins", "uninstall", "text").stderr
    assert "warning: " in told
    assert "seqloom-translation" in told.splitlines()[-1]
    assert "cannot do without seqloom-text" in told


@pytest.mark.parametrize(
    ("name", "code", "wanted"),
    [
        ("seqloom", 2, "seqloom is the core"),
        ("torch", 78, "torch is installed and is no plugin"),
        ("translaton", 78, "Did you mean 'translation'?"),
    ],
)
def test_other_distributions_stay(
    name: str, code: int, wanted: str, pip: FakePip, seqloom: Seqloom
) -> None:
    assert wanted in seqloom("plugins", "uninstall", name, code=code).stderr
    assert pip.asked == []
    assert importlib.metadata.version("torch")
