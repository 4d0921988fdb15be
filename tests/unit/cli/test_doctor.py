"""The doctor finds what is wrong, and gets to the end of its round whatever that is."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import run
from typing import Any

import pytest
import torch
from typer.testing import Result

import seqloom as package
from seqloom.catalog import Catalog
from seqloom.device import choose_device
from seqloom.registry.store import Registry

Install = Callable[..., Path]
Seqloom = Callable[..., Result]
Findings = dict[str, dict[str, Any]]

PLUGINS = [f"plugin {plugin.name}" for plugin in Catalog.from_environment().plugins()]
ROUND = ["seqloom", "python", "git", "torch", "device", "threads", *PLUGINS, "registry", "runs folder"]

pytestmark = pytest.mark.usefixtures("workplace")


@pytest.fixture
def findings(seqloom: Seqloom) -> Callable[..., Findings]:
    """``findings("--registry", url, code=78)``: what the doctor finds, by name."""

    def look(*options: str, code: int = 0) -> Findings:
        found = json.loads(seqloom(*options, "doctor", "--json", code=code).stdout)
        return {finding["name"]: finding for finding in found}

    return look


def ill(findings: Findings) -> list[str]:
    return [name for name, finding in findings.items() if not finding["healthy"]]


def test_all_is_well(findings: Callable[..., Findings], tmp_path: Path) -> None:
    found = findings()
    assert list(found) == ROUND
    assert ill(found) == []
    assert found["seqloom"]["detail"] == package.__version__
    assert found["torch"]["detail"] == torch.__version__
    assert found["device"]["detail"] == choose_device().reason
    assert found["plugin text"]["detail"].endswith(", parts: 1")
    assert found["registry"]["detail"].endswith("registry.db, which the first job makes")
    assert found["runs folder"]["detail"].startswith(f"{tmp_path / 'runs'}, ")


def test_people_get_a_table(seqloom: Seqloom) -> None:
    result = seqloom("doctor")
    header, *rows = result.stdout.splitlines()
    assert header.split() == ["what", "state", "found"]
    assert [row.partition(" ok ")[0].strip() for row in rows] == ROUND
    assert result.stderr == ""


# Plugins -----------------------------------------------------------------------------------------------


def test_a_plugin_set_aside_is_wrong(
    seqloom: Seqloom, findings: Callable[..., Findings], install: Install
) -> None:
    install("broken", "raise ImportError('no libfoo')")
    reason = "(seqloom-broken 0.1) was set aside: importing it raised ImportError: no libfoo"
    found = findings(code=78)
    assert ill(found) == ["plugin broken"]
    assert found["plugin broken"]["detail"] == f"plugin 'broken' {reason}"
    result = seqloom("doctor", code=78)
    (row,) = [row for row in result.stdout.splitlines() if row.startswith("plugin broken")]
    assert row.split()[2] == "WRONG"
    assert reason in row
    assert result.stderr == ""  # the table says it


def test_a_disabled_plugin_is_as_the_user_wants_it(
    findings: Callable[..., Findings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQLOOM_DISABLE", "text")
    found = findings()
    assert found["plugin text"]["healthy"]
    assert "is disabled: SEQLOOM_DISABLE names it" in found["plugin text"]["detail"]


@pytest.mark.usefixtures("parts")
def test_code_that_does_not_import_is_wrong(findings: Callable[..., Findings]) -> None:
    found = findings(code=78)
    assert ill(found) == ["plugin parts"]
    for part in ("modality 'words'", "head 'scalar'", "task 'measure'"):
        assert f"loading {part} raised ModuleNotFoundError" in found["plugin parts"]["detail"]


# Registry and runs -------------------------------------------------------------------------------------


def test_a_registry_that_no_job_has_made_is_not_made_here(
    findings: Callable[..., Findings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SEQLOOM_REGISTRY")
    monkeypatch.chdir(tmp_path)
    assert findings()["registry"]["detail"] == "sqlite:///registry.db, which the first job makes"
    assert not (tmp_path / "registry.db").exists()


def test_the_registry_tells_its_newest_run(findings: Callable[..., Findings], tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'other.db'}"
    facts: dict[str, Any] = {"name": "a", "task": "translation", "config": {}, "seed": 1}
    facts |= {"device": "cpu", "device_reason": "", "versions": {}, "data": []}
    with Registry(url) as registry:
        made = registry.start_run(kind="train", **facts)
    assert findings("--registry", url)["registry"]["detail"] == f"{url}, newest run {made.id}"


def test_a_file_that_is_no_registry_is_wrong(findings: Callable[..., Findings], tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no database, only words\n" * 100, encoding="utf-8")
    found = findings("--registry", f"sqlite:///{tmp_path / 'notes.txt'}", code=78)
    assert ill(found) == ["registry"]
    assert "notes.txt is not an SQLite database" in found["registry"]["detail"]


def test_runs_that_cannot_be_written_are_wrong(
    findings: Callable[..., Findings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SEQLOOM_RUNS", str(tmp_path / "file" / "runs"))
    found = findings(code=78)
    assert ill(found) == ["runs folder"]
    assert found["runs folder"]["detail"] == f"{tmp_path / 'file'}: cannot write"


# torch -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", ["ImportError('no torch')", "OSError('libcudart.so.13: cannot open')"])
def test_without_torch_the_round_goes_on(error: str, workplace: Any) -> None:
    (workplace.folder / "torch.py").write_text(f"raise {error}", encoding="utf-8")
    code = f"import sys; sys.path.insert(0, {str(workplace.folder)!r})\n"
    code += "from seqloom.cli.main import main; main()"
    command = [sys.executable, "-c", code, "doctor", "--json"]
    done = run(command, capture_output=True, text=True, env=workplace.environment, check=False)
    assert done.returncode == 78, done.stderr
    found = {finding["name"]: finding for finding in json.loads(done.stdout)}
    assert not found["torch"]["healthy"]
    assert found["torch"]["detail"] in error
    assert "device" not in found
    assert "loading encoder 'rnn' raised" in found["plugin seqloom"]["detail"]
    assert found["registry"]["healthy"]
    assert found["runs folder"]["healthy"]
