"""How does a template become a plugin's folder? Names are put in; it is there whole, or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from string import Template

from seqloom import __version__
from seqloom.errors import StorageError, UsageError
from seqloom.hooks import API_VERSION
from seqloom.scaffold.names import Names

SUFFIX = ".template"
TOOLS = ("hatchling>=1.27", "mypy>=1.18", "pytest>=8.4", "ruff>=0.14")
SHARED = "shared"

TEMPLATES: Mapping[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "task": ("Dates as people write them to ISO 8601 as a task of Seqloom", ("seqloom-text",), ()),
    "modality": ("Tables of numbers as a modality of Seqloom", ("numpy>=2.0",), ("seqloom-translation",)),
    "encoder": ("Gated convolutions as an encoder of Seqloom", (), ("seqloom-translation",)),
}
"""Each kind's description, what its plugin needs beside the core, and what its demo does."""


def write_plugin(names: Names, kind: str, folder: Path) -> list[Path]:
    """Writes a new plugin.

    Args:
        names: What it is called.
        kind: One of :data:`TEMPLATES`.
        folder: Where to; must not be there yet.

    Returns:
        The files, relative to the folder.

    Raises:
        UsageError: There is something already.
        StorageError: It cannot be written; then nothing of it is left.
    """
    if os.path.lexists(folder):
        raise UsageError(f"{folder} is there already, and is left as it is; name another with --folder")
    files = dict(_filled(names, kind))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            for name, text in files.items():
                file = aside / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
            aside.chmod(0o755)  # as any other folder; a temporary one is the user's alone
            aside.rename(folder)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
    except OSError as error:
        raise StorageError(f"{folder}: cannot write it: {error.strerror}") from error
    return [Path(name) for name in files]


def _filled(names: Names, kind: str) -> Iterator[tuple[str, str]]:
    """Each file of a plugin, and what is in it."""
    values = {
        "name": names.name,
        "distribution": names.distribution,
        "package": names.package,
        "api": str(API_VERSION).partition(".")[0],  # all of this major version
    } | _requirements(kind)
    base = resources.files("seqloom.scaffold") / "templates"
    for room in (SHARED, kind):
        for name, file in _files(base / room):
            parts = [names.package if part == "package" else part for part in PurePosixPath(name).parts]
            text = file.read_text(encoding="utf-8")
            if name.endswith(SUFFIX):
                text = Template(text).substitute(values)
            yield "/".join(parts).removesuffix(SUFFIX), text


def _requirements(kind: str) -> dict[str, str]:
    """The lists of distributions of ``pyproject.toml``: ours as far as this version's interface goes."""
    major, minor = map(int, __version__.split(".")[:2])
    ours = f">={major}.{minor},<{major}.{minor + 1}"
    description, needed, shown = TEMPLATES[kind]

    def listed(*distributions: str) -> str:
        pinned = (f"{one}{ours}" if one.startswith("seqloom") else one for one in distributions)
        return ", ".join(f'"{one}"' for one in sorted(pinned))

    return {
        "description": description,
        "dependencies": listed("seqloom", "torch>=2.11", *needed),
        "tools": listed(*TOOLS, *shown),
    }


def _files(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, Traversable]]:
    for child in sorted(folder.iterdir(), key=lambda one: one.name):
        if child.is_dir():
            yield from _files(child, f"{prefix}{child.name}/")
        else:
            yield f"{prefix}{child.name}", child
