"""Where a verb's inputs come from and where its outputs go."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from seqloom.catalog import Catalog
from seqloom.cli.main import build_app


@pytest.fixture
def translate(trained: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """``translate("1 2", "-o", file, stdin=b"..", code=0)`` with the trained model's folder."""
    (folder,) = (trained.folder / "runs").glob("*/model")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEQLOOM_REGISTRY", raising=False)

    def run(*words: object, stdin: bytes | None = None, code: int = 0) -> Result:
        app = build_app(Catalog.from_environment())
        arguments = ["translate", str(folder), "--beam", "1", *map(str, words)]
        result = CliRunner().invoke(app, arguments, input=stdin)
        assert result.exit_code == code, result.output
        return result

    return run


def test_a_model_folder_needs_no_registry(translate: Any, tmp_path: Path) -> None:
    assert translate("1 2 3").stdout == "3 2 1\n"
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_followed_and_keeps_its_permissions(translate: Any, tmp_path: Path) -> None:
    target = tmp_path / "target.txt"
    target.write_text("old")
    target.chmod(0o640)
    (tmp_path / "link.txt").symlink_to(target)
    translate("1 2 3", "-o", "link.txt")
    assert (tmp_path / "link.txt").is_symlink()
    assert target.read_text() == "3 2 1\n"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_new_file_has_the_permissions_of_any(translate: Any, tmp_path: Path) -> None:
    (tmp_path / "any.txt").write_text("")
    (tmp_path / ".out.txt.tmp").write_text("somebody's own")
    translate("1 2 3", "-o", "out.txt")
    assert (tmp_path / "out.txt").stat().st_mode == (tmp_path / "any.txt").stat().st_mode
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.txt.tmp", "any.txt", "out.txt"]
    assert (tmp_path / ".out.txt.tmp").read_text() == "somebody's own"


def test_a_named_pipe_is_written_into(translate: Any, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    translate("1 2 3", "-o", pipe)
    reader.join(timeout=30)
    assert read == ["3 2 1\n"]
    assert pipe.is_fifo()


def test_stdin_is_read_as_files_are(translate: Any) -> None:
    assert translate(stdin=b"\xef\xbb\xbf1 2 3\r\n4 5\n").stdout == "3 2 1\n5 4\n"
    assert "<stdin>:2: not UTF-8: byte 0xff" in translate(stdin=b"1\n\xff\n", code=65).stderr


def test_what_is_empty_is_told_by_its_place(translate: Any, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("1\n\n")
    assert "<arguments>:2: the source is empty" in translate("1", "", code=65).stderr
    assert "<stdin>:1: the source is empty" in translate(stdin=b"\n", code=65).stderr
    assert "in.txt:2: the source is empty" in translate("--input", "in.txt", code=65).stderr
    assert "none.txt: there is no such file" in translate("--input", "none.txt", code=65).stderr


@pytest.mark.parametrize("option", ["--device", "--dtype"])
def test_a_device_that_means_nothing_is_refused(translate: Any, option: str) -> None:
    assert f"no {option[2:]} 'tpu'; there are: auto" in translate("1", option, "tpu", code=78).stderr


def test_a_verb_whose_plugin_is_left_out_says_so(
    translate: Any, seqloom: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQLOOM_DISABLE", "translation")
    needs, told = translate("1", code=78).stderr.splitlines()
    assert needs.startswith("error: model ")
    assert needs.endswith(" needs other plugins:")
    without = seqloom("translate", "nobody", code=78).stderr
    assert "no command 'translate' of a plugin in use" in without
    for said in (told, without):
        assert "plugin 'translation'" in said
        assert "SEQLOOM_DISABLE names it" in said


def test_a_name_that_disables_nothing_is_warned_of(translate: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQLOOM_DISABLE", "txt, seqloom")
    told = translate("1 2").stderr
    assert "'txt' is disabled: SEQLOOM_DISABLE names it, and it is not installed. Did you mean" in told
    assert "'seqloom' is disabled: SEQLOOM_DISABLE names it, and it is the core" in told
