"""What the pages tell their readers to do works."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pages
import pytest
import shell

RUNNABLE = {"python", "sh", "console"}
OTHERS = {"yaml", "toml"}
ELSEWHERE = {"tutorial-plugin.md"}  # test_tutorial follows it, in an environment of its own


def written(page: Path) -> list[pages.Block]:
    return [block for block in pages.blocks(page) if block.order == "file"]


def runnable(page: Path) -> list[pages.Block]:
    return [block for block in pages.blocks(page) if block.language in RUNNABLE and not block.order]


def follow(command: pages.Command) -> None:
    outcome = shell.run(command.text)
    assert outcome.status == 0, f"{command.text}\n{outcome.output}"
    printed = (line.rstrip() for line in outcome.output.splitlines())
    for shown in command.output:
        wanted = pages.pattern(shown)
        assert any(wanted.fullmatch(line) for line in printed), f"{shown!r} is not in\n{outcome.output}"


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, id=page.name, marks=pytest.mark.slow)
        for page in pages.PAGES
        if runnable(page) and page.name not in ELSEWHERE
    ],
)
def test_a_page_can_be_followed(page: Path, workspace: Path) -> None:
    for block in written(page):
        file = workspace / block.detail
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block.text, encoding="utf-8")
    names: dict[str, Any] = {}
    for block in runnable(page):
        if block.language == "python":
            code = compile("\n" * block.line + block.text, str(page), "exec")  # errors tell the page's line
            exec(code, names)
        else:
            for command in pages.commands(block):
                follow(command)


def jobs() -> list[Any]:
    return [
        pytest.param(block, id=f"{page.name}-{block.detail}")
        for page in pages.PAGES
        for block in written(page)
        if block.language == "yaml" and block.detail != "imu.yaml"  # test_plugin has the plugin for it
    ]


@pytest.mark.parametrize("block", jobs())
def test_a_job_file_is_accepted(block: pages.Block, workspace: Path) -> None:
    from seqloom.catalog import Catalog
    from seqloom.data.splits import split_files
    from seqloom.jobfile import load_job

    file = workspace / block.detail
    file.write_text(block.text, encoding="utf-8")
    job = load_job(file, Catalog.from_environment())
    assert split_files(job.config.data.train, job.root)


@pytest.mark.parametrize("page", [pytest.param(page, id=page.name) for page in pages.PAGES])
def test_every_block_is_run_or_says_why_not(page: Path) -> None:
    for block in pages.blocks(page):
        assert block.language in RUNNABLE | OTHERS, f"{page.name}:{block.line}"
    fences = page.read_text(encoding="utf-8").count("\n```")
    directives = page.read_text(encoding="utf-8").count("\n```{")
    assert len(list(pages.blocks(page))) == (fences - 2 * directives) / 2


def test_a_shown_line_that_is_not_printed_fails() -> None:
    follow(pages.Command("echo a; echo bcd", ["a", "b…d"]))
    with pytest.raises(AssertionError):
        follow(pages.Command("echo bcd; echo a", ["a", "b…d"]))
    with pytest.raises(AssertionError):
        follow(pages.Command("false", []))


def test_no_variable_of_the_project_leaks_in(workspace: Path) -> None:
    found = {name for name in os.environ if name.startswith("SEQLOOM_")}
    assert found == {"SEQLOOM_DATA"}
