"""Installing and uninstalling with the pip that is there, in an environment of its own."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def write_wheel(folder: Path, name: str, points: str) -> Path:
    """A wheel of an empty module."""
    wheel, info = folder / f"{name}-1.0-py3-none-any.whl", f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: us\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": points,
    }
    record = "".join(f"{file},,\n" for file in (*files, f"{info}/RECORD"))
    with zipfile.ZipFile(wheel, "w") as archive:
        for file, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(file, text)
    return wheel


@pytest.mark.slow
def test_plugins_come_and_go(fresh: Callable[..., Any], wheels: dict[str, Path], tmp_path: Path) -> None:
    environment = fresh(wheels["seqloom"])

    def plugins(*words: object, code: int = 0) -> Any:
        return environment.run("seqloom", "plugins", *words, cwd=tmp_path, code=code)

    came = plugins("install", wheels["seqloom-text"])
    assert f"-m pip install {wheels['seqloom-text']}" in came.stderr.splitlines()[0]
    assert "Successfully installed seqloom-text" in came.stderr
    assert [line.split()[:2] for line in came.stdout.splitlines()] == [
        ["kind", "name"],
        ["modality", "text"],
    ]
    again = plugins("install", "text")  # is there: nothing to look for
    assert "Requirement already satisfied: seqloom-text" in again.stderr
    assert again.stdout == came.stdout
    gone = plugins("uninstall", "text")
    assert "Successfully uninstalled seqloom-text" in gone.stderr
    assert "no plugin 'text'" in plugins("uninstall", "text", code=78).stderr


@pytest.mark.slow
def test_what_cannot_be_used_is_told(
    fresh: Callable[..., Any], wheels: dict[str, Path], tmp_path: Path
) -> None:
    environment = fresh(wheels["seqloom"])

    def install(what: object) -> str:
        return str(environment.run("seqloom", "plugins", "install", what, cwd=tmp_path, code=78).stderr)

    assert "installed stranger 1.0, which is no plugin" in install(write_wheel(tmp_path, "stranger", ""))
    told = install(write_wheel(tmp_path, "hollow", "[seqloom]\nhollow = hollow\n"))
    assert "plugin 'hollow' was installed and set aside: its entry module does not say" in told
    assert "pip ended with exit status 1" in install("./nowhere")
