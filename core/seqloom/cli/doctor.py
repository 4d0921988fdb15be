"""``seqloom doctor``: is everything here that a job needs?"""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from typing import Annotated, NamedTuple

import typer

import seqloom
from seqloom.catalog import Catalog, Plugin
from seqloom.cli.output import State, print_json, print_table
from seqloom.errors import ConfigError, SeqloomError


class Finding(NamedTuple):
    """One thing looked at.

    Attributes:
        name: What was looked at.
        healthy: Whether it is as it should be.
        detail: What was found.
    """

    name: str
    healthy: bool
    detail: str


def register(app: typer.Typer, catalog: Catalog) -> None:
    """Adds the command."""

    @app.command()
    def doctor(
        context: typer.Context,
        as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    ) -> None:
        """Check device, plugins, registry and folders."""
        state = context.ensure_object(State)
        findings = [*_machine(), *_plugins(catalog), _registry(state), _runs()]
        if as_json:
            print_json([finding._asdict() for finding in findings])
        else:
            rows = [(name, "ok" if healthy else "WRONG", detail) for name, healthy, detail in findings]
            print_table(("what", "state", "found"), rows)
        if not all(finding.healthy for finding in findings):
            raise typer.Exit(ConfigError.exit_code)


def _machine() -> Iterator[Finding]:
    yield Finding("seqloom", True, seqloom.__version__)
    yield Finding("python", True, f"{platform.python_version()} on {platform.platform()}")
    git = shutil.which("git")
    yield Finding(
        "git", True, git or "not there: runs do not tell the commit of the code around their jobs"
    )
    try:
        import torch  # noqa: PLC0415

        from seqloom.device import choose_device  # noqa: PLC0415
    except (ImportError, OSError) as error:  # OSError: one of its libraries is missing
        yield Finding("torch", False, str(error))
        return
    yield Finding("torch", True, torch.__version__)
    yield Finding("device", True, choose_device().reason)
    yield Finding("threads", True, f"{torch.get_num_threads()} of {os.cpu_count()} processors")


def _plugins(catalog: Catalog) -> Iterator[Finding]:
    for plugin in catalog.plugins():
        if plugin.state == "ok":
            troubles = [*plugin.faults, *_load_troubles(catalog, plugin)]
            found = "; ".join(troubles) or f"{plugin.version}, parts: {len(plugin.offers)}"
            yield Finding(f"plugin {plugin.name}", not troubles, found)
        else:
            yield Finding(f"plugin {plugin.name}", plugin.state == "disabled", plugin.trouble)


def _load_troubles(catalog: Catalog, plugin: Plugin) -> Iterator[str]:
    """The parts whose code does not import."""
    for kind, name, _ in plugin.offers:
        try:
            catalog.load(kind, name)
        except SeqloomError as error:
            yield str(error)


def _registry(state: State) -> Finding:
    from seqloom.registry.opened import DEFAULT_URL  # noqa: PLC0415
    from seqloom.registry.place import shown, sqlite_file  # noqa: PLC0415
    from seqloom.registry.store import Registry  # noqa: PLC0415

    url = state.registry or os.environ.get("SEQLOOM_REGISTRY") or DEFAULT_URL
    try:
        file = sqlite_file(url)
        if file is not None and not file.exists():
            return Finding("registry", True, f"{shown(url)}, which the first job makes")
        with Registry(url) as registry:
            newest = registry.runs(limit=1)
    except SeqloomError as error:
        return Finding("registry", False, str(error))
    return Finding("registry", True, f"{shown(url)}, newest run {newest[0].id if newest else 'none'}")


def _runs() -> Finding:
    from seqloom.registry.store import runs_folder  # noqa: PLC0415

    folder = runs_folder()
    place = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(place).free / 1e9
    can_write = place.is_dir() and os.access(place, os.W_OK | os.X_OK)
    return Finding(
        "runs folder", can_write, f"{folder}, {free:.0f} GB free" if can_write else f"{place}: cannot write"
    )
