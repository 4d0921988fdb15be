"""``seqloom plugins check``: does a plugin do what the core relies on?"""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

import typer

from seqloom.catalog import Catalog
from seqloom.cli.output import note, print_json, print_table
from seqloom.errors import PluginError, UsageError, unknown_name
from seqloom.hooks import ENTRY_POINT_GROUP, PROJECT


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is checked.

    Attributes:
        distribution: Its name.
        source: The folder with its code, for one that need not be installed.
        tests: The folder of its tests, None where they are not at hand.
        metadata: What an installed distribution would have in ``METADATA`` and ``entry_points.txt``.
    """

    distribution: str
    source: Path | None = None
    tests: Path | None = None
    metadata: tuple[str, str] = ("", "")


def register(plugins: typer.Typer, catalog: Catalog) -> None:
    """Adds the command."""

    @plugins.command()
    def check(
        what: Annotated[str, typer.Argument(help="A plugin's folder, or the name of an installed one.")],
        as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    ) -> None:
        """Test all that the core relies on in a plugin, and run the contracts among its own tests."""
        subject = _of_folder(Path(what)) if _is_folder(what) else _installed(what, catalog)
        verdicts = _verdicts(subject)
        if as_json:
            print_json(verdicts)
        else:
            rows = [
                tuple(verdict[key] for key in ("check", "part", "state", "advice")) for verdict in verdicts
            ]
            print_table(("check", "part", "state", "what to do"), rows)
        counts = Counter(verdict["state"] for verdict in verdicts)
        note(f"{subject.distribution}: " + ", ".join(f"{counts[state]} {state}" for state in counts))
        if counts["broken"]:
            raise PluginError(f"{subject.distribution} does not do all that Seqloom relies on")


def _is_folder(what: str) -> bool:
    """As pip has it: a name is a name, whatever lies in the working folder."""
    return os.sep in what or what.startswith(".")


def _of_folder(folder: Path) -> Subject:
    """A distribution's source.

    Raises:
        UsageError: It is none.
    """
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        name, entries = project["name"], project["entry-points"][ENTRY_POINT_GROUP]
    except OSError as error:
        raise UsageError(
            f"{folder / 'pyproject.toml'}: {error.strerror}; name a plugin's folder"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{folder / 'pyproject.toml'}: {error}") from error
    except (KeyError, TypeError) as error:
        raise UsageError(
            f"{folder / 'pyproject.toml'}: no plugin: no [project.entry-points.{ENTRY_POINT_GROUP}] in it"
        ) from error
    packages = {str(module).partition(".")[0].partition(":")[0] for module in entries.values()}
    for source in (folder / "src", folder):
        if all((source / one).is_dir() or (source / f"{one}.py").is_file() for one in packages):
            break
    else:
        raise UsageError(
            f"{folder}: no {', '.join(sorted(packages))} in it or its src; "
            "install the plugin, and check it by its name"
        )
    version = project.get("version", "0")
    points = "".join(f"{one} = {module}\n" for one, module in entries.items())
    return Subject(
        distribution=name,
        source=source.resolve(),
        tests=_tests_in(folder),
        metadata=(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
            f"[{ENTRY_POINT_GROUP}]\n{points}",
        ),
    )


def _installed(name: str, catalog: Catalog) -> Subject:
    """A plugin that is installed; its tests are at hand where it is installed in place.

    Raises:
        PluginError: There is none.
    """
    plugins = [plugin for plugin in catalog.plugins() if plugin.distribution and plugin.name != PROJECT]
    for plugin in plugins:
        if name in (plugin.name, plugin.distribution):
            if plugin.state == "disabled":
                raise PluginError(plugin.trouble)
            return Subject(distribution=plugin.distribution, tests=_tests_of(plugin.distribution))
    raise PluginError(unknown_name("plugin", name, {plugin.name for plugin in plugins}))


def _tests_of(distribution: str) -> Path | None:
    """The tests of a distribution that was installed in place (PEP 610 says from where)."""
    written = importlib.metadata.distribution(distribution).read_text("direct_url.json")
    if written is None:
        return None
    origin = json.loads(written)
    if not origin.get("dir_info", {}).get("editable"):
        return None
    return _tests_in(Path(unquote(urlsplit(origin["url"]).path)))


def _tests_in(folder: Path) -> Path | None:
    tests = folder / "tests"
    return tests.resolve() if tests.is_dir() else None


def _verdicts(subject: Subject) -> list[dict[str, Any]]:
    """What a process of its own finds.

    Raises:
        PluginError: The plugin's code ended that process.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.jsonl"
        tests = [str(subject.tests)] if subject.tests else []
        done = subprocess.run(  # noqa: S603 - the plugin's code is what the user wants run
            [sys.executable, "-m", "seqloom.testing", subject.distribution, str(report), *tests],
            env=os.environ | _paths(subject, Path(folder)),
            stdin=subprocess.DEVNULL,
            stdout=2,
            check=False,
        )
        lines = report.read_text(encoding="utf-8").splitlines() if report.is_file() else []
    if done.returncode:
        raise PluginError(
            f"checking {subject.distribution} ended in exit status {done.returncode} after {len(lines)} "
            "checks; what it says above tells why"
        )
    return [json.loads(line) for line in lines]


def _paths(subject: Subject, folder: Path) -> dict[str, str]:
    """The variables that make a distribution's source one that is installed."""
    if subject.source is None:
        return {}
    name = subject.distribution.replace("-", "_")
    info = folder / "site" / f"{name}-0.dist-info"
    info.mkdir(parents=True)
    for file, text in zip(("METADATA", "entry_points.txt"), subject.metadata, strict=True):
        (info / file).write_text(text, encoding="utf-8")
    before = os.environ.get("PYTHONPATH", "")
    return {"PYTHONPATH": os.pathsep.join(filter(None, (str(info.parent), str(subject.source), before)))}
