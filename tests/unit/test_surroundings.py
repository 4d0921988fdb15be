"""What a run says of its machine and its code: no password, and nothing that a repository could abuse."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from seqloom import surroundings
from seqloom.device import choose_device
from seqloom.surroundings import command, environment, git_state


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One with a commit, a file and a folder."""
    for name, value in (("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CEILING_DIRECTORIES", str(tmp_path))):
        monkeypatch.setenv(name, value)
    folder = tmp_path / "repository"
    (folder / "jobs").mkdir(parents=True)
    (folder / "jobs" / "job.yaml").write_text("task: translation\n")
    git(folder, "init", "--quiet", "--initial-branch", "trunk")
    git(folder, "add", ".")
    git(folder, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message", "first")
    return folder


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_the_machine_is_described() -> None:
    found = environment(choose_device("cpu"))
    assert found.keys() >= {"platform", "host", "cpu", "cores", "memory", "threads", "command"}
    assert "gpu" not in found
    assert 1 <= int(found["cores"]) <= (os.cpu_count() or 1)
    assert float(found["memory"].removesuffix(" GiB")) > 0
    assert all(found.values())


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["seqloom", "train", "a b.yaml"], "seqloom train 'a b.yaml'"),
        (["--registry=postgresql://me:p/w@rd@host:5/db"], "'--registry=postgresql://me:***@host:5/db'"),
        (["postgresql://:pw@/db"], "'postgresql://:***@/db'"),
        (["postgresql://me@host/db"], "postgresql://me@host/db"),
        (["postgresql:///db?user=me&password=pw&x=1"], "'postgresql:///db?user=me&password=***&x=1'"),
        (["postgresql:///db?sslpassword=pw"], "'postgresql:///db?sslpassword=***'"),
        (["API_KEY=1 2", "--token=t"], "'API_KEY=*** 2' '--token=***'"),
        (["--set", "tokenizers={joint: word}"], "--set 'tokenizers={joint: word}'"),
        (["\udcff"], "'?'"),
        (["x" * 20_000], "x" * 10_000),
    ],
)
def test_a_command_has_no_password(words: list[str], line: str) -> None:
    assert command(words) == line


def test_commit_branch_and_changes_are_told(repository: Path) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    clean = {"commit": commit, "branch": "trunk", "dirty": "no"}
    assert git_state(repository / "jobs") == clean
    (repository / "new").touch()  # which git does not know
    assert git_state(repository) == clean
    (repository / "jobs" / "job.yaml").write_text("task: captioning\n")
    assert git_state(repository) == clean | {"dirty": "yes"}
    git(repository, "checkout", "--quiet", "--detach")
    assert git_state(repository) == {"commit": commit, "dirty": "yes"}


def test_the_folder_decides_and_not_what_surrounds_the_process(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "plain").mkdir()
    monkeypatch.setenv("GIT_DIR", str(repository / ".git"))  # as in a hook
    assert git_state(tmp_path / "plain") == {}
    assert git_state(tmp_path / "nowhere") == {}
    monkeypatch.setenv("GIT_CONFIG_COUNT", "nonsense")
    assert git_state(repository) == {}


def test_where_there_is_no_commit_or_no_git_nothing_is_told(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    git(tmp_path, "init", "--quiet", "empty")
    assert git_state(tmp_path / "empty") == {}
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_state(repository) == {}


def test_a_git_that_takes_its_time_is_not_waited_for(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    slow = tmp_path / "git"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(surroundings, "SECONDS", 0.2)
    started = time.monotonic()
    assert git_state(repository) == {}
    assert time.monotonic() - started < 60


def test_no_program_of_a_repository_is_run(repository: Path) -> None:
    """Its settings name some for everything that a look at it could ask for."""
    bait = repository / "bait"
    bait.write_text('#!/bin/sh\ntouch "$(dirname "$0")/caught"\ncat\n')
    bait.chmod(0o755)
    (repository / ".gitattributes").write_text("*.yaml filter=a=b filter=plain diff=plain\n")
    (repository / ".git" / "hooks" / "post-index-change").symlink_to(bait)
    settings = ("core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "credential.helper")
    settings += ("filter.plain.clean", "filter.plain.smudge", "filter.plain.process", "diff.plain.textconv")
    settings += ("filter.a=b.clean", "diff.external", "core.askPass", "core.alternateRefsCommand")
    for name in settings:
        git(repository, "config", name, str(bait))
    git(repository, "config", "filter.plain.required", "true")
    job = repository / "jobs" / "job.yaml"
    job.write_text("task: TRANSLATION\n")  # as long as it was: git compares what is in it
    index = (repository / ".git" / "index").read_bytes()
    assert git_state(repository)["dirty"] == "yes"
    assert not (repository / "caught").exists()
    assert (repository / ".git" / "index").read_bytes() == index
    careless = ["git", "-C", repository, "-c", "core.fsmonitor=false", "status"]
    subprocess.run(careless, check=False, capture_output=True)  # the bait speaks no protocol of git's
    assert (repository / "caught").exists()
