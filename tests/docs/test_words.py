"""What exists is documented, and what is documented exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

import pages
import typer

from seqloom import errors, testing
from seqloom.catalog import Catalog
from seqloom.cli.plugin_install import FIRST_PARTY
from seqloom.hooks import HookSpecs
from seqloom.plugincheck import HOOKS

DOCS = pages.ROOT / "docs"


def test_every_hook_is_in_the_table_with_its_arguments() -> None:
    documented = {
        re.sub(r"\W", " ", row[0]).split()[0]: row[0] for row in pages.rows(DOCS / "plugins.md", "hook")
    }
    assert set(documented) == set(HOOKS)
    for name, shown in documented.items():
        code = getattr(HookSpecs, name).__code__
        arguments = ", ".join(code.co_varnames[1 : code.co_argcount])
        assert shown == f"`{name}({arguments})`"


def test_every_contract_is_in_the_table() -> None:
    documented = {row[0].strip("`") for row in pages.rows(DOCS / "testing.md", "contract")}
    assert documented == {name for name in testing.__all__ if name.endswith("Contract")}
    text = (DOCS / "testing.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in testing.__all__)


def test_short_names_of_plugins_are_listed() -> None:
    [row] = [row for row in pages.rows(DOCS / "cli.md", "what to install") if row[0] == "`speech`"]
    assert set(re.findall(r"`([a-z]+)`", row[1])) == FIRST_PARTY


def subclasses(of: type[errors.SeqloomError]) -> Iterator[type[errors.SeqloomError]]:
    yield of
    for child in of.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from subclasses(child)


def test_exit_codes_are_those_of_the_errors() -> None:
    documented = [int(row[0]) for row in pages.rows(DOCS / "cli.md", "code")]
    codes = {error.exit_code for error in subclasses(errors.SeqloomError)}
    signals = {errors.Interrupted("", number).exit_status for number in (2, 15)}
    assert documented == sorted({0, errors.BUG_EXIT_CODE} | codes | signals)


def test_every_command_is_in_the_table() -> None:
    from seqloom.cli.main import build_app

    root = typer.main.get_command(build_app(Catalog.discover()))
    documented = {row[0].split()[1].strip("`"): row[0] for row in pages.rows(DOCS / "cli.md", "command")}
    assert set(documented) == set(root.commands)
    for name, command in root.commands.items():
        for subcommand in getattr(command, "commands", {}):
            assert re.search(rf"\b{subcommand}\b", documented[name]), f"{name} {subcommand}"


def options(command: Any) -> set[str]:
    return {name for parameter in command.params for name in parameter.opts if name.startswith("--")}


def test_options_of_all_commands_and_of_verbs_are_in_their_tables() -> None:
    from seqloom.cli.main import build_app

    catalog = Catalog.discover()
    root = typer.main.get_command(build_app(catalog))
    verbs = [options(root.commands[spec.verb]) for spec in catalog.specs("task")]
    tables = chain(pages.rows(DOCS / "cli.md", "option"), pages.rows(DOCS / "cli.md", "option of a verb"))
    documented = {name for row in tables for name in re.findall(r"--[a-z-]+", row[0])}
    assert documented == options(root).union(*verbs) - {"--help"}


def test_transcripts_become_what_is_shown() -> None:
    from seqloom_speech.normalization import RULES

    cells = [[cell.strip("`") for cell in row] for row in pages.rows(DOCS / "speech.md", "transcript")]
    assert len(cells) > 3
    for raw, basic, english in cells:
        assert (RULES["basic-1"](raw), RULES["english-1"](raw)) == (basic, english)
    documented = {row[0].strip("`") for row in pages.rows(DOCS / "speech.md", "rule")}
    assert documented == {"none", *RULES}


def test_every_module_has_its_floor() -> None:
    source = pages.ROOT / "core" / "seqloom"
    modules = {file.stem for file in source.glob("*.py") if file.stem != "__init__"}
    packages = {file.parent.name for file in source.glob("*/__init__.py")}
    rooms = " ".join(row[1] for row in pages.rows(DOCS / "architecture.md", "floor"))
    assert sorted(re.findall(r"`(\w+)/?`", rooms)) == sorted(modules | packages)


def test_every_variable_is_documented() -> None:
    source = pages.ROOT / "core" / "seqloom"
    read = {
        name for file in source.rglob("*.py") for name in re.findall(r"SEQLOOM_[A-Z]+", file.read_text())
    }
    documented = {row[0].strip("`") for row in pages.rows(DOCS / "cli.md", "variable")}
    assert documented == read | {"SEQLOOM_DATA", "NO_COLOR"}


def test_links_between_pages_lead_somewhere() -> None:
    for page in pages.PAGES:
        for target in re.findall(r"\]\(([^)#:]+)[^):]*\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).is_file(), f"{page.name}: {target}"
