"""``seqloom plugins``: the parts there are, who offers them, and what is wrong with whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from seqloom.catalog import KINDS, Catalog, Plugin
from seqloom.cli import plugin_check, plugin_install, plugin_new
from seqloom.cli.output import print_json, print_table
from seqloom.errors import PluginError, unknown_name

Json = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]


def register(app: typer.Typer, catalog: Catalog) -> None:
    """Adds the commands."""
    plugins = typer.Typer(no_args_is_help=True, help="List plugins and the parts that they offer.")
    app.add_typer(plugins, name="plugins")
    plugin_install.register(plugins, catalog)
    plugin_new.register(plugins, catalog)
    plugin_check.register(plugins, catalog)

    @plugins.command("list")
    def list_plugins(as_json: Json = False) -> None:
        """List every part with the plugin that offers it, and the plugins that are not in use."""
        if as_json:
            print_json([_record(plugin) for plugin in catalog.plugins()])
            return
        rows = [row for kind in KINDS for row in _rows(catalog, kind)]
        print_table(("kind", "name", "summary", "plugin", "version"), rows)
        for plugin in catalog.set_aside():
            typer.echo(plugin.trouble)

    @plugins.command()
    def show(
        name: Annotated[str, typer.Argument(help="Of a part, or of a plugin.")], as_json: Json = False
    ) -> None:
        """Show what may be set of a part, or what a plugin offers."""
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


def _rows(catalog: Catalog, kind: str) -> Iterator[tuple[str, ...]]:
    for spec in catalog.specs(kind):
        plugin = catalog.provider(kind, spec.name)
        yield kind, spec.name, spec.summary, plugin.distribution, plugin.version


def _record(plugin: Plugin) -> dict[str, Any]:
    keys = ("name", "distribution", "version", "module", "state", "reason")
    offers = [{"kind": kind, "name": name, "summary": text} for kind, name, text in plugin.offers]
    return {"plugin": plugin.name} | {key: getattr(plugin, key) for key in keys[1:]} | {"offers": offers}


def _plugins(catalog: Catalog, name: str) -> Iterator[dict[str, Any]]:
    return (_record(plugin) for plugin in catalog.plugins() if name in (plugin.name, plugin.distribution))


def _parts(catalog: Catalog, name: str) -> Iterator[dict[str, Any]]:
    from seqloom.keys import keys_of  # noqa: PLC0415

    for kind in KINDS:
        for spec in catalog.specs(kind):
            if spec.name == name:
                plugin = catalog.provider(kind, name)
                options = [vars(key) for key in keys_of(spec.options)]
                yield {
                    "kind": kind,
                    "name": name,
                    "summary": spec.summary,
                    "plugin": plugin.name,
                    "distribution": plugin.distribution,
                    "version": plugin.version,
                    "options": options,
                }


def _unknown(catalog: Catalog, name: str) -> PluginError:
    names = {plugin.name for plugin in catalog.plugins()}
    names |= {spec.name for kind in KINDS for spec in catalog.specs(kind)}
    return PluginError(unknown_name("plugin or part", name, names))


def _print(record: dict[str, Any]) -> None:
    """A plugin's or a part's record for people: a line of what it is, then a table."""
    origin = f"{record['distribution']} {record['version']}".strip() or "not installed"
    if "offers" in record:
        home = f"{origin}, {record['module']}" if record["module"] else origin
        state = f"{record['state']}: {record['reason']}" if record["reason"] else record["state"]
        typer.echo(f"plugin {record['plugin']} ({home}): {state}")
        if record["offers"]:
            print_table(("kind", "name", "summary"), [tuple(part.values()) for part in record["offers"]])
        return
    typer.echo(f"{record['kind']} {record['name']} ({origin}): {record['summary']}")
    if record["options"]:
        rows = [tuple(option.values()) for option in record["options"]]
        print_table(("option", "type", "default", "description"), rows)
    else:
        typer.echo("nothing to set")
