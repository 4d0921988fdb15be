"""The plugin that the documentation writes is a plugin: found, trained with, tested."""

from __future__ import annotations

import random
import shlex
import sys
from pathlib import Path

import pages
import pytest
import shell

from seqloom.testing import ModalityContract

PAGE = pages.ROOT / "docs" / "plugins.md"
INSTALLED = "seqloom_imu-0.1.0.dist-info"


@pytest.fixture
def plugin(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the plugin, which is installed in place for processes started from here."""
    for block in pages.blocks(PAGE):
        if block.order == "file":
            file = workspace / block.detail
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, encoding="utf-8")
    source = workspace / "imu" / "src"
    (source / INSTALLED).mkdir()
    (source / INSTALLED / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: seqloom-imu\nVersion: 0.1.0\n"
    )
    (source / INSTALLED / "entry_points.txt").write_text("[seqloom]\nimu = seqloom_imu\n")
    monkeypatch.setenv("PYTHONPATH", str(source))
    monkeypatch.syspath_prepend(str(source))
    for name in ("seqloom_imu", "seqloom_imu.modality"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return source.parent


def write_recordings(folder: Path) -> None:
    """Eight recordings of six channels, the list of them, and a text for each."""
    generator = random.Random(1)
    names = []
    for number in range(8):
        rows = [[generator.gauss(0, 1) for _ in range(6)] for _ in range(5 + number)]
        names.append(f"{number}.csv")
        text = "".join(",".join(f"{value:.3f}" for value in row) + "\n" for row in rows)
        (folder / names[-1]).write_text(text)
    (folder / "recordings.txt").write_text("".join(f"{name}\n" for name in names))
    (folder / "captions.txt").write_text("walking\nrunning\n" * 4)


@pytest.mark.slow
def test_a_job_may_name_it(plugin: Path, workspace: Path) -> None:
    write_recordings(workspace)
    assert "Inertial sensors" in shell.seqloom("plugins", "list").stdout
    trained = shell.seqloom("train", "imu.yaml")
    assert trained.status == 0, trained.output
    assert trained.stdout == "models:/imu/1\n"


@pytest.mark.slow
def test_its_own_tests_pass(plugin: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-v", "-W", "error", "-p", "no:cacheprovider", str(plugin)]
    report = shell.run(shlex.join(command)).output
    for name in dir(ModalityContract):
        assert not name.startswith("test_") or f"::TestImu::{name} PASSED" in report, report


def test_it_is_about_fifty_lines() -> None:
    code = [block for block in pages.blocks(PAGE) if "/src/" in block.detail]
    lines = [line for block in code for line in block.text.splitlines() if line.strip()]
    assert len(lines) <= 70
