"""``seqloom plugins``: the plugins there are, what they offer, and what is wrong with whom."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from seqloom.catalog import KINDS, Catalog, Plugin
from seqloom.cli import plugin_check, plugin_install, plugin_new
from seqloom.cli.output import out, print_json, print_table
from seqloom.errors import ConfigError, PluginError, unknown_name
from seqloom.hooks import API_VERSION, ModalitySpec, Spec

Json = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]
STATES = {"ok": "ok", "disabled": "disabled", "quarantined": "set aside"}


def register(app: typer.Typer, catalog: Catalog) -> None:
    """Adds the commands."""
    plugins = typer.Typer(no_args_is_help=True, help="List, show and examine plugins and their parts.")
    app.add_typer(plugins, name="plugins")
    plugin_install.register(plugins, catalog)
    plugin_new.register(plugins, catalog)
    plugin_check.register(plugins, catalog)

    @plugins.command("list")
    def list_plugins(as_json: Json = False) -> None:
        """List every plugin, every part with the plugin that offers it, and what is wrong with any."""
        if as_json:
            print_json([_record(plugin) for plugin in catalog.plugins()])
        else:
            _print_list(catalog)

    @plugins.command()
    def show(
        name: Annotated[str, typer.Argument(help="Of a part, or of a plugin.")], as_json: Json = False
    ) -> None:
        """Show what a plugin offers, with all options, its plugin API and its files; or one part."""
        found = [*_plugins(catalog, name), *_parts(catalog, name)]
        if not found:
            raise _unknown(catalog, name)
        if as_json:
            print_json(found)
            return
        for index, record in enumerate(found):
            if index:
                typer.echo()
            _print(record)

    @plugins.command()
    def doctor(
        name: Annotated[str | None, typer.Argument(help="Of a plugin; all, where none is given.")] = None,
        as_json: Json = False,
    ) -> None:
        """Import, check and build everything that plugins offer; ends in 78 where something is wrong."""
        if not _examined(catalog, name, as_json=as_json):
            raise typer.Exit(ConfigError.exit_code)


def _print_list(catalog: Catalog) -> None:
    plugins = catalog.plugins()
    print_table(("plugin", "version", "distribution", "state", "offers"), map(_plugin_row, plugins))
    typer.echo()
    rows = [row for kind in KINDS for row in _part_rows(catalog, kind)]
    print_table(("kind", "name", "summary", "plugin"), rows)
    if troubles := [trouble for plugin in plugins for trouble in plugin.troubles]:
        out("\n" + "\n".join(troubles))


def _examined(catalog: Catalog, name: str | None, *, as_json: bool) -> bool:
    """Tells what is wrong with the plugins of a name, or with any; returns whether nothing is."""
    plugins = catalog.plugins()
    asked = [plugin for plugin in plugins if name in (None, plugin.name, plugin.distribution)]
    if not asked:
        raise PluginError(unknown_name("plugin", name or "", {plugin.name for plugin in plugins}))
    from seqloom.checkup import examine  # noqa: PLC0415 - imports torch

    found = [(plugin, examine(plugin, catalog)) for plugin in asked]
    if as_json:
        print_json([_record(plugin) | {"healthy": not lines, "found": lines} for plugin, lines in found])
    else:
        print_table(("plugin", "state", "found"), [row for one in found for row in _verdict(*one)])
    return not any(lines for _, lines in found)


def _plugin_row(plugin: Plugin) -> tuple[str, ...]:
    kinds: dict[str, list[str]] = {}
    for kind, name, _ in plugin.offers:
        kinds.setdefault(kind, []).append(name)
    offers = "; ".join(f"{kind} {', '.join(names)}" for kind, names in kinds.items())
    state = STATES[plugin.state] + (", with faults" if plugin.faults and plugin.state == "ok" else "")
    return plugin.name, plugin.version, plugin.distribution, state, offers


def _part_rows(catalog: Catalog, kind: str) -> Iterator[tuple[str, ...]]:
    for spec in catalog.specs(kind):
        yield kind, spec.name, spec.summary, catalog.provider(kind, spec.name).name


def _verdict(plugin: Plugin, lines: list[str]) -> Iterator[tuple[str, ...]]:
    if not lines:
        told = plugin.reason or f"{plugin.distribution} {plugin.version}, parts: {len(plugin.offers)}"
        yield plugin.name, STATES[plugin.state], told
    yield from ((plugin.name, "WRONG", line) for line in lines)


def _record(plugin: Plugin) -> dict[str, Any]:
    keys = ("distribution", "version", "module", "state", "reason", "faults", "api")
    offers = [{"kind": kind, "name": name, "summary": text} for kind, name, text in plugin.offers]
    return {"plugin": plugin.name} | {key: getattr(plugin, key) for key in keys} | {"offers": offers}


def _plugins(catalog: Catalog, name: str) -> Iterator[dict[str, Any]]:
    for plugin in catalog.plugins():
        if name in (plugin.name, plugin.distribution):
            parts = [_part(catalog.get(kind, part), kind) for kind, part, _ in plugin.offers]
            folder, files = _files(plugin)
            yield _record(plugin) | {"offers": parts, "folder": folder, "files": files}


def _files(plugin: Plugin) -> tuple[str, list[str]]:
    """Where a plugin's code is, and its files there."""
    if plugin.state != "ok":
        return "", []
    found = find_spec(plugin.module.partition(":")[0].strip())  # it is imported already
    if found is None or found.origin is None:
        return "", []
    origin = Path(found.origin)
    if not found.submodule_search_locations:
        return str(origin.parent), [origin.name]
    files = (file.relative_to(origin.parent) for file in origin.parent.rglob("*") if file.is_file())
    return str(origin.parent), sorted(file.as_posix() for file in files if "__pycache__" not in file.parts)


def _part(spec: Spec[Any], kind: str) -> dict[str, Any]:
    from seqloom.keys import keys_of  # noqa: PLC0415

    known: dict[str, Any] = {"kind": kind, "name": spec.name, "summary": spec.summary}
    if isinstance(spec, ModalitySpec):
        known["reads"] = list(spec.files)
    return known | {"options": [vars(key) for key in keys_of(spec.options)]}


def _parts(catalog: Catalog, name: str) -> Iterator[dict[str, Any]]:
    """The parts of a name but those of a plugin of that name, which are shown with it."""
    for kind in KINDS:
        for spec in catalog.specs(kind):
            plugin = catalog.provider(kind, spec.name)
            if spec.name == name and name not in (plugin.name, plugin.distribution):
                origin = {
                    "plugin": plugin.name,
                    "distribution": plugin.distribution,
                    "version": plugin.version,
                }
                yield _part(spec, kind) | origin


def _unknown(catalog: Catalog, name: str) -> PluginError:
    names = {plugin.name for plugin in catalog.plugins()}
    names |= {spec.name for kind in KINDS for spec in catalog.specs(kind)}
    return PluginError(unknown_name("plugin or part", name, names))


def _print(record: dict[str, Any]) -> None:
    """A plugin's or a part's record for people."""
    origin = f"{record['distribution']} {record['version']}".strip() or "not installed"
    if "offers" not in record:
        _print_part(record, f" ({origin})")
        return
    home = f"{origin}, {record['module']}" if record["module"] else origin
    state = f"{record['state']}: {record['reason']}" if record["reason"] else record["state"]
    out(f"plugin {record['plugin']} ({home}): {state}")
    for fault in record["faults"]:
        out(f"fault: {fault}")
    if record["api"]:
        out(f"written for plugin API {record['api']}; this Seqloom has {API_VERSION}")
    if record["files"]:
        out(f"files in {record['folder']}: {', '.join(record['files'])}")
    for part in record["offers"]:
        typer.echo()
        _print_part(part, "")


def _print_part(part: dict[str, Any], origin: str) -> None:
    out(f"{part['kind']} {part['name']}{origin}: {part['summary']}")
    if part.get("reads"):
        out(f"reads files: {' '.join(part['reads'])}")
    if part["options"]:
        rows = [tuple(option.values()) for option in part["options"]]
        print_table(("option", "type", "default", "description"), rows)
    else:
        typer.echo("nothing to set")
