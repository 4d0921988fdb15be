"""A model whose plugin is gone, or is of another version: what is said of it, and what is done."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import seqloom
from seqloom.build import Builder
from seqloom.catalog import Catalog, Plugin
from seqloom.cli.main import build_app
from seqloom.data.manifest import read_examples
from seqloom.errors import CorruptError, PluginError, SeqloomWarning
from seqloom.export import export_model
from seqloom.jobfile import load_job
from seqloom.pins import Pin, check_pins, pins_of, read_pins
from seqloom.storage import write_folder, write_json
from seqloom.trainer import Outcome

SOURCE = """
from seqloom.hooks import NoOptions, TaskSpec, hookimpl

seqloom_api = ">=1.0,<2"

def load():
    from fake_echo_task import Echo
    return lambda options, tokenizer: Echo(tokenizer)

@hookimpl
def seqloom_tasks():
    return [TaskSpec(name="echoing", summary="Says it again", verb="echo", options=NoOptions,
                     flags=NoOptions, inputs={"source": "text"}, presets={}, load=load)]
"""
TASK = """
from seqloom.task import TextTask

class Echo(TextTask):
    def configure(self, flags, decode):
        return decode

    def deliver(self, predictions, flags, modalities):
        return []
"""
LACKS = "install what fits: pip install 'seqloom-echo>=1.2.3,<2'\n"


class Echoes:
    """A plugin of a task, and a model that was made with version 1.2.3 of it."""

    def __init__(self, place: Any, install: Callable[..., Path]) -> None:
        self.place = place
        self.site = install("echo", SOURCE)
        (self.site / "fake_echo_task.py").write_text(TASK)
        self.install("1.2.3")
        place.job.write_text(place.job.read_text().replace("task: translation", "task: echoing"))
        self.folder = place.folder / "model"
        self._export(Catalog.discover())

    def _export(self, catalog: Catalog) -> None:
        job = load_job(self.place.job, catalog)
        builder = Builder(job.config, catalog)
        examples = list(read_examples(job.config.data.train, job.root, builder.slots()))
        kit = builder.kit(builder.fit_tokenizers(located.example for located in examples))
        outcome = Outcome(step=1, scores=[], averaged=(1,))
        versions = {"seqloom": "0.1.0", "seqloom-echo": "1.2.3", "torch": "2.99"}
        export_model(self.folder, builder, builder.model(kit), kit.tokenizers, outcome, versions)

    def install(self, version: str) -> None:
        """Installs another version instead."""
        self.uninstall()
        info = self.site / f"seqloom_echo-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: seqloom-echo\nVersion: {version}\n")
        (info / "entry_points.txt").write_text("[seqloom]\necho = fake_echo\n")

    def uninstall(self) -> None:
        for info in self.site.glob("*.dist-info"):
            shutil.rmtree(info)

    def change(self, alter: Callable[[dict[str, Any]], object]) -> Path:
        """A copy of the model whose config.json is another, and which is whole."""
        saved = json.loads((self.folder / "config.json").read_text())
        alter(saved)

        def write(aside: Path) -> None:
            shutil.copytree(self.folder, aside, dirs_exist_ok=True)
            (aside / "manifest.json").unlink()
            write_json(aside / "config.json", saved)

        copy: Path = self.place.folder / "copy"
        write_folder(copy, write)
        return copy

    def run(self, *words: object, code: int = 0) -> Result:
        app = build_app(Catalog.from_environment())
        result = CliRunner().invoke(app, [str(word) for word in words])
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.stderr
        return result


@pytest.fixture
def echoes(workplace: Any, install: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Echoes:
    monkeypatch.delenv("SEQLOOM_UNPIN", raising=False)
    return Echoes(workplace, install)


def test_a_model_says_what_it_came_from(echoes: Echoes) -> None:
    saved = json.loads((echoes.folder / "config.json").read_text())
    pins = {pin["plugin"]: pin for pin in saved["plugins"]}
    assert list(pins) == ["echo", "text"]
    wanted = {"distribution": "seqloom-echo", "version": "1.2.3", "parts": ["task echoing"]}
    assert pins["echo"] == {"plugin": "echo", **wanted}
    assert pins["text"]["parts"] == ["modality text"]
    assert "| plugins | seqloom-echo 1.2.3, seqloom-text" in (echoes.folder / "README.md").read_text()


def test_a_model_without_its_plugin_asks_for_it(echoes: Echoes) -> None:
    echoes.uninstall()
    for words in (["echo", echoes.folder, "1 2"], ["translate", echoes.folder, "1 2"]):
        told = echoes.run(*words, code=78).stderr
        assert told.startswith(f"error: model {echoes.folder} needs other plugins:\n")
        assert "plugin 'echo' (seqloom-echo 1.2.3) is not installed\n" in told
        assert told.endswith(LACKS)
    with pytest.raises(PluginError, match=r"pip install 'seqloom-echo>=1\.2\.3,<2'$"):
        seqloom.load(echoes.folder)


def test_a_command_that_nobody_has_is_unknown_whatever_follows(echoes: Echoes) -> None:
    for words in (["ecko"], ["ecko", echoes.folder], ["ecko", "nobody"], ["ecko", "--fast"]):
        assert "No such command 'ecko'" in echoes.run(*words, code=2).stderr
    assert not (echoes.place.folder / "registry.db").exists()


def test_the_same_minor_version_says_nothing(echoes: Echoes) -> None:
    before = echoes.run("echo", echoes.folder, "1 2").stdout
    echoes.install("1.2.9")
    after = echoes.run("echo", echoes.folder, "1 2")
    assert (after.stdout, after.stderr) == (before, "")


@pytest.mark.parametrize("version", ["1.2.1", "1.10.0"])
def test_a_version_that_may_differ_is_told(version: str, echoes: Echoes) -> None:
    echoes.install(version)
    told = rf"plugin 'echo' \(seqloom-echo {version}\) is here, and the model was trained with 1.2.3$"
    with pytest.warns(SeqloomWarning, match=rf"^model .*: {told}"):
        seqloom.load(echoes.folder)


@pytest.mark.parametrize("version", ["2.0.0", "1.1.0"])
def test_a_version_that_promises_nothing_is_refused_unless_asked_for(
    version: str, echoes: Echoes, monkeypatch: pytest.MonkeyPatch
) -> None:
    echoes.install(version)
    told = echoes.run("echo", echoes.folder, "1 2", code=78).stderr
    assert told.splitlines() == [
        f"error: model {echoes.folder} needs other plugins:",
        f"plugin 'echo' (seqloom-echo {version}) is here, and the model was trained with 1.2.3",
        LACKS.strip(),
        "or try it as it is: SEQLOOM_UNPIN=echo",
    ]
    monkeypatch.setenv("SEQLOOM_UNPIN", "other, echo")
    with pytest.warns(SeqloomWarning, match=rf"seqloom-echo {version}\) is here"):
        assert len(seqloom.load(echoes.folder).predict(["1 2"])) == 1


def test_a_disabled_plugin_is_named_with_the_reason(
    echoes: Echoes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQLOOM_DISABLE", "text")
    told = echoes.run("echo", echoes.folder, "1 2", code=78).stderr
    assert "is disabled: SEQLOOM_DISABLE names it" in told
    assert "pip install" not in told


def test_a_model_without_pins_loads_and_its_versions_help(echoes: Echoes) -> None:
    old = echoes.change(lambda saved: saved.pop("plugins"))
    assert echoes.run("echo", old, "1 2").stdout == echoes.run("echo", echoes.folder, "1 2").stdout
    echoes.uninstall()
    with pytest.raises(PluginError, match="no task 'echoing'; there are: ") as caught:
        seqloom.load(old)
    wanted = "\nwhere it was trained there was more: pip install 'seqloom-echo>=1.2.3,<2'"
    assert str(caught.value).endswith(wanted)


@pytest.mark.slow
def test_through_the_command_line(echoes: Echoes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(echoes.site))
    echoes.install("1.3.0")
    said = echoes.place.run("echo", echoes.folder, "1 2")
    told = "plugin 'echo' (seqloom-echo 1.3.0) is here, and the model was trained with 1.2.3"
    assert said.stderr == f"warning: model {echoes.folder}: {told}\n"
    echoes.uninstall()
    assert echoes.place.run("echo", echoes.folder, "1 2", code=78).stderr.endswith(LACKS)
    assert echoes.place.run("evaluate", echoes.folder, code=78).stderr.endswith(LACKS)


# What a stranger wrote ---------------------------------------------------------------------------------

WHOLE = {"plugin": "echo", "distribution": "seqloom-echo", "version": "1.2.3", "parts": ["task echo"]}


@pytest.mark.parametrize(
    "saved",
    [
        [],
        {"plugins": None},
        {"plugins": "echo"},
        {"plugins": [3]},
        {"plugins": [{"plugin": "echo"}]},
        {"plugins": [WHOLE | {"more": 1}]},
        {"plugins": [WHOLE | {"version": 1.2}]},
        {"plugins": [WHOLE | {"distribution": "x'; rm -rf ~ #"}]},
        {"plugins": [WHOLE | {"distribution": "-r"}]},
        {"plugins": [WHOLE | {"plugin": "echo\nlie"}]},
        {"plugins": [WHOLE | {"version": "1' 'other"}]},
    ],
)
def test_pins_that_are_none_are_refused_and_not_shown(saved: Any, tmp_path: Path) -> None:
    wanted = r"config\.json: `plugins` is not a list of plugins with their versions$"
    with pytest.raises(CorruptError, match=wanted):
        read_pins(saved, tmp_path / "config.json")


def test_pins_are_read_as_they_were_saved() -> None:
    assert read_pins({"plugins": [WHOLE]}, Path("config.json")) == [
        Pin(plugin="echo", distribution="seqloom-echo", version="1.2.3", parts=("task echo",))
    ]
    assert read_pins({}, Path("config.json")) is None


def test_all_that_is_missing_is_one_command(catalog: Catalog) -> None:
    pins = [
        Pin(plugin=name, distribution=f"seqloom-{name}", version="0.1.0")
        for name in ("zeta", "text", "eta")
    ]
    with pytest.raises(PluginError, match=r"pip install 'seqloom-zeta>=0.1,<0.2' 'seqloom-eta>=0.1,<0.2'$"):
        check_pins(pins, catalog, "model x")


def test_what_no_distribution_brought_is_no_pin(job: Callable[..., Any], catalog: Catalog) -> None:
    class Bare(Catalog):
        def provider(self, kind: str, name: str) -> Plugin:
            return replace(catalog.provider(kind, name), distribution="")

    assert [pin.plugin for pin in pins_of(job().config, catalog)] == ["text", "translation"]
    assert pins_of(job().config, Bare()) == []
