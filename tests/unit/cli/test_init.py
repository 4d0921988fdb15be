"""A commented job file, and never over one that is there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from seqloom.catalog import Catalog
from seqloom.jobfile import load_job

Seqloom = Callable[..., Result]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_file_is_a_job_with_comments(seqloom: Seqloom, here: Path, catalog: Catalog) -> None:
    result = seqloom("init", "translation")
    assert result.stdout == ""
    assert result.stderr == (
        "wrote translation.yaml; see all of its values with `seqloom config show translation.yaml`\n"
    )
    config = load_job(here / "translation.yaml", catalog).config
    assert (config.task.name, config.preset, config.name) == ("translation", "tiny", "my-translator")
    assert (here / "translation.yaml").read_text(encoding="utf-8").count("# ") > 5
    assert "translation.yaml:" in seqloom("config", "show", "translation.yaml").stdout


def test_the_file_may_have_another_name(seqloom: Seqloom, here: Path) -> None:
    assert seqloom("init", "translation", "de-en.yaml").stderr.startswith("wrote de-en.yaml;")
    assert [path.name for path in here.iterdir()] == ["de-en.yaml"]


def test_a_file_that_is_there_stays_unless_forced(seqloom: Seqloom, here: Path) -> None:
    (here / "mine.yaml").write_text("weeks of work", encoding="utf-8")
    result = seqloom("init", "translation", "mine.yaml", code=2)
    assert result.stderr == "error: mine.yaml is there already; name another file, or --force\n"
    assert (here / "mine.yaml").read_text(encoding="utf-8") == "weeks of work"

    seqloom("init", "translation", "mine.yaml", "--force")
    assert (here / "mine.yaml").read_text(encoding="utf-8").startswith("# A translator.")


def test_an_unknown_task_leaves_no_file(seqloom: Seqloom, here: Path) -> None:
    result = seqloom("init", "transaltion", code=78)
    assert "no task 'transaltion'; there are: " in result.stderr
    assert "Did you mean 'translation'?" in result.stderr
    assert list(here.iterdir()) == []


@pytest.mark.usefixtures("parts")
def test_a_task_without_a_job_file_says_so(seqloom: Seqloom, here: Path) -> None:
    seqloom("init", "echo")
    assert (here / "echo.yaml").read_text(encoding="utf-8") == "task: echo  # says it again\n"

    result = seqloom("init", "measure", code=78)
    assert result.stderr == "error: the task measure has no job file to start from\n"
    assert not (here / "measure.yaml").exists()


def test_a_folder_that_is_not_there_ends_with_74(seqloom: Seqloom) -> None:
    assert (
        "nowhere/job.yaml: cannot write it: No such file"
        in seqloom("init", "translation", "nowhere/job.yaml", code=74).stderr
    )
