"""How long does `seqloom --help` take with many plugins installed, and how long without any?

Usage: python benchmarks/many_plugins.py [--plugins 50] [--rounds 7]

Makes that many distributions in a temporary folder, each with a light entry module that offers an encoder
with options of its own, and runs `seqloom --help` and `seqloom plugins list` in turn, with that folder on
`sys.path` and without; SEQLOOM_DISABLE leaves out what is installed already. The first round warms the
disk's cache and is not counted. Prints the median of the seconds with the least and the most.
"""

from __future__ import annotations

import argparse
import compileall
import importlib.metadata
import os
import sys
import tempfile
from pathlib import Path

from contest import Column, Contender, add_options, hold, show

MODULE = """\
from pydantic import Field

from seqloom.hooks import EncoderSpec, Options, hookimpl

seqloom_api = ">=1.0,<2"


class FakeOptions(Options):
    layers: int = Field(2, ge=1, description="How many layers.")
    dropout: float = Field(0.1, ge=0, lt=1, description="Share of what is dropped.")
    kind: str = Field("plain", description="Of which kind they are.")


def _load():
    from seqloom_fake_{number}.code import build

    return build


@hookimpl
def seqloom_encoders():
    return [EncoderSpec(name="fake-{number}", summary="Encoder {number}", options=FakeOptions, load=_load)]
"""
METADATA = (
    "Metadata-Version: 2.1\nName: seqloom-fake-{number}\nVersion: 0.{number}.0\nRequires-Dist: seqloom\n"
)
RUN = "from seqloom.cli.main import main; main()"
COLUMNS = [
    Column("seconds", "seconds", decimals=3, detailed=True),
    Column("cpu", "cpu s", decimals=3),
    Column("peak", "peak MiB"),
]


def make(folder: Path, count: int) -> None:
    """Writes so many distributions as an installer would."""
    for number in range(count):
        package = folder / f"seqloom_fake_{number}"
        package.mkdir()
        (package / "__init__.py").write_text(MODULE.format(number=number))
        info = folder / f"seqloom_fake_{number}-0.{number}.0.dist-info"
        info.mkdir()
        long = "A line of a long description.\n" * 200
        (info / "METADATA").write_text(f"{METADATA.format(number=number)}\n{long}")
        (info / "entry_points.txt").write_text(f"[seqloom]\nfake-{number} = seqloom_fake_{number}\n")
    compileall.compile_dir(folder, quiet=1)


def contenders(folder: Path, count: int) -> list[Contender]:
    """Each command, without plugins and with them."""
    commands = []
    for words in (["--help"], ["plugins", "list"]):
        said = f"seqloom {' '.join(words)}"
        given = f"import sys; sys.path.insert(0, {str(folder)!r}); {RUN}"
        commands.append(Contender(f"{said}, none", [sys.executable, "-c", RUN, *words]))
        commands.append(Contender(f"{said}, {count}", [sys.executable, "-c", given, *words]))
    return commands


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--plugins", type=int, default=50)
    add_options(parser, rounds=7)
    given = parser.parse_args()
    installed = {one.name for one in importlib.metadata.entry_points(group="seqloom")}
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # the core is compiled where it is installed, too
    os.environ["SEQLOOM_DISABLE"] = ",".join(sorted(installed))
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), given.plugins)
        given.rounds += 1
        found = hold(contenders(Path(folder), given.plugins), given)
    for records, _ in found.values():
        del records[:1]
    show(found, COLUMNS, base="seqloom --help, none")


if __name__ == "__main__":
    main()
