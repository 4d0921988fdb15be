from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from seqloom.cli.models import models_app
from seqloom.cli.output import State
from seqloom.errors import ConfigError
from seqloom.registry.records import Score
from seqloom.registry.store import Registry

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
Command = Callable[..., Result]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Runs ``seqloom models ...`` on a registry in the test's folder."""
    state = State(registry=f"sqlite:///{tmp_path}/registry.db")
    return lambda *words: CliRunner().invoke(models_app, words, obj=state, catch_exceptions=False)


@pytest.fixture
def three_models(tmp_path: Path) -> None:
    """de-en/1 (the champion), de-en/2, fr-en/1."""
    with Registry(f"sqlite:///{tmp_path}/registry.db", clock=lambda: NOON) as registry:
        for name, value in (("de-en", 30.0), ("de-en", 40.0), ("fr-en", 50.0)):
            score = Score(metric="bleu", value=value, split="valid", step=500, signature="nrefs:1")
            registry.add_model(name, "translation", None, f"/models/{name}", "c0ffee", [score])
        registry.set_alias("de-en", 1, "champion")


@pytest.mark.usefixtures("three_models")
def test_list(command: Command) -> None:
    result = command("list")

    assert [line.split() for line in result.stdout.splitlines()] == [
        ["model", "aliases", "task", "created", "(UTC)", "scores"],
        ["fr-en/1", "translation", "2026-11-21", "12:00:00", "bleu", "50.00"],
        ["de-en/2", "translation", "2026-11-21", "12:00:00", "bleu", "40.00"],
        ["de-en/1", "champion", "translation", "2026-11-21", "12:00:00", "bleu", "30.00"],
    ]
    assert result.stderr == ""


@pytest.mark.usefixtures("three_models")
def test_list_filters_limits_and_speaks_json(command: Command) -> None:
    def uris(*words: str) -> list[str]:
        return [model["uri"] for model in json.loads(command("list", "--json", *words).stdout)]

    assert uris() == ["models:/fr-en/1", "models:/de-en/2", "models:/de-en/1"]
    assert uris("--limit", "1", "--where", "name = 'de-en'") == ["models:/de-en/2"]
    assert uris("--where", "alias = 'champion'") == ["models:/de-en/1"]


@pytest.mark.usefixtures("three_models")
def test_list_of_none_that_fits(command: Command) -> None:
    result = command("list", "--where", "bleu > 99")

    assert (result.stdout, result.stderr) == ("", "no model fits\n")


def test_list_of_nothing(command: Command) -> None:
    result = command("list")

    assert (result.stdout, result.stderr) == ("", "no models\n")


@pytest.mark.usefixtures("three_models")
def test_show(command: Command) -> None:
    text = command("show", "de-en@champion").stdout

    assert [line.split() for line in text.splitlines()] == [
        ["model", "models:/de-en/1"],
        ["task", "translation"],
        ["aliases", "champion"],
        ["created", "2026-11-21", "12:00:00", "UTC"],
        ["folder", "/models/de-en"],
        ["sha256", "c0ffee"],
        [],
        ["metric", "value", "split", "step", "signature"],
        ["bleu", "30.0000", "valid", "500", "nrefs:1"],
    ]


def test_show_tells_the_run_that_made_it(command: Command, tmp_path: Path) -> None:
    with Registry(f"sqlite:///{tmp_path}/registry.db") as registry:
        run = registry.start_run(
            kind="train",
            name="x",
            task="translation",
            config={},
            seed=1,
            device="cpu",
            device_reason="",
            versions={},
            data=[],
        )
        registry.add_model("x", "translation", run.id, "/x", "", [])

    lines = [line.split() for line in command("show", "x").stdout.splitlines()]
    assert ["run", run.id] in lines
    assert len(lines) == 6  # neither aliases nor scores


@pytest.mark.usefixtures("three_models")
def test_show_speaks_json(command: Command) -> None:
    model = json.loads(command("show", "models:/de-en/1", "--json").stdout)

    assert (model["uri"], model["version"], model["aliases"]) == ("models:/de-en/1", 1, ["champion"])
    assert model["scores"][0]["value"] == 30.0


@pytest.mark.usefixtures("three_models")
def test_alias_is_given_moved_and_removed(command: Command) -> None:
    given = command("alias", "de-en", "champion")
    assert (given.stdout, given.stderr) == ("", "de-en@champion is models:/de-en/2\n")
    assert "models:/de-en/2" in command("show", "de-en@champion").stdout

    removed = command("alias", "de-en", "champion", "--remove")
    assert removed.stderr == "de-en@champion is gone; it was models:/de-en/2\n"
    with pytest.raises(ConfigError, match="no alias 'de-en@champion'"):
        command("show", "de-en@champion")


@pytest.mark.usefixtures("three_models")
def test_unknown_names(command: Command) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'fr-en'"):
        command("show", "fr-em")
    with pytest.raises(ConfigError, match="no alias 'fr-en@champion'; there are: none"):
        command("alias", "fr-en", "champion", "--remove")
