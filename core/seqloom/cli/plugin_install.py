"""``seqloom plugins install`` and ``uninstall``: thin, on the pip of the Python that runs."""

from __future__ import annotations

import difflib
import importlib
import importlib.metadata
import importlib.util
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Collection, Iterator, Sequence
from importlib.metadata import Distribution
from pathlib import Path
from typing import Annotated, Any

import typer

from seqloom.catalog import Catalog
from seqloom.cli.output import note, print_table
from seqloom.errors import ConfigError, PluginError, UsageError, unknown_name
from seqloom.hooks import ENTRY_POINT_GROUP, PROJECT

FIRST_PARTY = frozenset(
    {"audio", "captioning", "dialogue", "ocr", "speech", "summarization", "text", "translation", "vision"}
)
"""What may be asked for by the name of the plugin alone: ``speech`` is ``seqloom-speech``."""

NEAR = 0.8  # of difflib's likeness: `speach` is as near to `speech`, `textual` is not to `text`

_BARE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_Stamp = tuple[str, str, int]


def register(plugins: typer.Typer, catalog: Catalog) -> None:
    """Adds the commands."""

    @plugins.command()
    def install(
        what: Annotated[
            list[str],
            typer.Argument(
                help="A plugin of Seqloom's own, as `speech`; or what pip takes: a distribution's name, "
                "a folder (./imu), a wheel, git+URL."
            ),
        ],
        editable: Annotated[
            bool,
            typer.Option("--editable", "-e", help="Install folders in place, as their author wants it."),
        ] = False,
        upgrade: Annotated[
            bool, typer.Option("--upgrade", "-U", help="Take newer versions of what is installed.")
        ] = False,
    ) -> None:
        """Install plugins with pip, and list what they offer."""
        wanted = [requirement(text) for text in what]
        before = _stamps()
        flags = ["--upgrade"] if upgrade else []
        _pip(
            "install",
            *flags,
            *(word for one in wanted for word in (["--editable", one] if editable else [one])),
        )
        importlib.invalidate_caches()
        _tell(_asked_for(wanted, before))

    @plugins.command()
    def uninstall(
        name: Annotated[str, typer.Argument(help="Of a plugin, or of its distribution.")],
    ) -> None:
        """Uninstall a plugin with pip."""
        distribution = _distribution_of(name, catalog)
        others = sorted(_needing(distribution))
        _pip("uninstall", "--yes", distribution)
        if others:
            note(f"warning: {', '.join(others)} cannot do without {distribution}")


def requirement(text: str) -> str:
    """What pip is to install for what a user says.

    Raises:
        UsageError: It is no requirement, or so near to a plugin of ours that it is rather that.
    """
    if text.startswith("-"):
        raise UsageError(
            f"'{text}' is not a plugin; pip's own settings are environment variables, as PIP_INDEX_URL"
        )
    if _BARE.fullmatch(text) is None or text.endswith(".whl"):
        return text
    name = _normalized(text).removeprefix(f"{PROJECT}-")
    if name in FIRST_PARTY:
        return f"{PROJECT}-{name}"
    if near := difflib.get_close_matches(name, FIRST_PARTY, n=1, cutoff=NEAR):
        # Who mistypes a name must not get what a stranger has put there.
        raise UsageError(
            f"no plugin of Seqloom's own is called '{text}'. Did you mean '{near[0]}'? If you mean another "
            f"distribution of that name, say which versions: '{text}>=0'"
        )
    return text


def _pip(*arguments: str) -> None:
    """Runs pip; what it says goes to stderr, as stdout is for data.

    Raises:
        ConfigError: This Python has none.
        PluginError: It ended with an error.
    """
    if importlib.util.find_spec("pip") is None:
        raise ConfigError(
            f"{sys.executable} has no pip: `{sys.executable} -m ensurepip` brings it; or install plugins "
            "with what made this environment"
        )
    command = [sys.executable, "-m", "pip", *arguments]
    note(f"$ {shlex.join(command)}")
    status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=2, check=False).returncode  # noqa: S603
    if status:
        raise PluginError(f"pip ended with exit status {status}; what it says above tells why")


# What was installed ------------------------------------------------------------------------------------


def _stamps() -> set[_Stamp]:
    """Those of all distributions that are installed; one may be in several places."""
    return {_stamp(found) for found in importlib.metadata.distributions()}


def _stamp(distribution: Distribution) -> _Stamp:
    """Its name and version, and when its metadata were written."""
    file = next((file for file in distribution.files or () if file.name == "METADATA"), None)
    try:
        written = 0 if file is None else Path(str(file.locate())).stat().st_mtime_ns
    except OSError:
        written = 0
    return _normalized(distribution.name), distribution.version, written


def _asked_for(wanted: Collection[str], before: Collection[_Stamp]) -> list[Distribution]:
    """The distributions that a user asked for: those that are new, and those that were there already."""
    named = {_normalized(one) for one in wanted}
    found: dict[str, Distribution] = {}
    for one in importlib.metadata.distributions():
        stamp = _stamp(one)
        is_new = stamp not in before and one.read_text("REQUESTED") is not None
        if is_new or stamp[0] in named:
            found.setdefault(stamp[0], one)
    return [found[name] for name in sorted(found)]


def _tell(installed: Sequence[Distribution]) -> None:
    """Lists what plugins offer, or why they were set aside.

    Raises:
        PluginError: One is no plugin, or was set aside.
    """
    strangers = [one for one in installed if not _is_plugin(one)]
    records = _records({_normalized(one.name) for one in installed})
    for record in records:
        note(f"plugin {record['plugin']} ({record['distribution']} {record['version']}): {record['state']}")
    rows = [
        (offer["kind"], offer["name"], offer["summary"], record["distribution"], record["version"])
        for record in records
        for offer in record["offers"]
    ]
    if rows:
        print_table(("kind", "name", "summary", "plugin", "version"), rows)
    troubles = [_stranger(one) for one in strangers]
    troubles += [
        f"plugin '{record['plugin']}' was installed and set aside: {record['reason']}"
        for record in records
        if record["state"] != "ok"
    ]
    if troubles:
        raise PluginError("\n".join(troubles))


def _stranger(found: Distribution) -> str:
    """What to say of a distribution that pip has installed, and that is no plugin."""
    remove = shlex.join([sys.executable, "-m", "pip", "uninstall", found.name])
    return (
        f"pip installed {found.name} {found.version}, which is no plugin of Seqloom's: it has no entry "
        f"point in the group '{ENTRY_POINT_GROUP}'; `{remove}` removes it"
    )


def _records(distributions: Collection[str]) -> list[dict[str, Any]]:
    """What a new process finds of these distributions: this one does not know where new code lies."""
    done = subprocess.run(
        [sys.executable, "-m", "seqloom", "plugins", "list", "--json"],
        stdout=subprocess.PIPE,
        check=False,
        text=True,
    )
    if done.returncode:
        raise PluginError("the plugins that are installed now cannot be listed; see above")
    return [one for one in json.loads(done.stdout) if _normalized(one["distribution"]) in distributions]


def _is_plugin(distribution: Distribution) -> bool:
    return any(entry.group == ENTRY_POINT_GROUP for entry in distribution.entry_points)


def _normalized(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


# What is to go -----------------------------------------------------------------------------------------


def _distribution_of(name: str, catalog: Catalog) -> str:
    """The distribution of a plugin, by either's name.

    Raises:
        UsageError: It is the core.
        PluginError: There is none, or it is no plugin's.
    """
    plugins = [plugin for plugin in catalog.plugins() if plugin.distribution]
    if name == PROJECT:
        raise UsageError(f"{PROJECT} is the core, which cannot do without itself")
    for plugin in plugins:
        if name == plugin.name or _normalized(name) == _normalized(plugin.distribution):
            return plugin.distribution
    if any(_normalized(one.name) == _normalized(name) for one in importlib.metadata.distributions()):
        raise PluginError(
            f"{name} is installed and is no plugin: it has no entry point in the group "
            f"'{ENTRY_POINT_GROUP}'; left as it is"
        )
    raise PluginError(unknown_name("plugin", name, {plugin.name for plugin in plugins} - {PROJECT}))


def _needing(distribution: str) -> Iterator[str]:
    """The plugins whose distributions require this one."""
    for one in importlib.metadata.distributions():
        for line in one.requires or () if _is_plugin(one) else ():
            found = _BARE.match(line)
            if found and _normalized(found[0]) == _normalized(distribution) and "extra ==" not in line:
                yield one.name
