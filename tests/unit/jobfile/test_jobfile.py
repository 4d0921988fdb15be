from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seqloom.catalog import Catalog
from seqloom.config import Part
from seqloom.errors import ConfigError, PluginError, UsageError
from seqloom.jobfile import Job, job_from_dict

DATA = """\
data:
  train: {source: train.a, target: train.b}
  valid: {source: valid.a, target: valid.b}
"""
ECHO = "task: echo\npreset: tiny\n" + DATA

Load = Callable[..., Job]


# Layers ------------------------------------------------------------------------------------------------


def test_each_value_tells_where_it_comes_from(load: Load) -> None:
    job = load(
        ECHO + "train:\n  steps: 9\n  learning_rate: 1e-2\n", "train.seed=7", "evaluate.metrics=[chrf]"
    )
    config, origins = job.config, job.origins
    assert (config.train.steps, origins["train.steps"]) == (9, "job.yaml:7")
    assert (config.train.learning_rate, origins["train.learning_rate"]) == (0.01, "job.yaml:8")
    assert (config.train.seed, origins["train.seed"]) == (7, "--set")
    assert (config.model.width, origins["model.width"]) == (16, "preset tiny")
    assert (config.train.clip_norm, origins["train.clip_norm"]) == (1.0, "default")
    assert (config.name, origins["name"]) == ("job", "default")
    assert origins["task.name"] == "job.yaml:1"
    assert origins["evaluate.metrics.0.name"] == "--set"
    assert origins["evaluate.metrics.0.word_order"] == "default"
    assert origins["train.optimizer.momentum"] == "preset tiny"
    assert origins["data.train.target"] == "job.yaml:4"
    assert set(origins) == set(_leaves(config.model_dump(mode="json")))


def _leaves(value: Any, prefix: str = "") -> list[str]:
    if isinstance(value, dict) and value:
        return [leaf for key, child in value.items() for leaf in _leaves(child, f"{prefix}{key}.")]
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [leaf for key, child in enumerate(value) for leaf in _leaves(child, f"{prefix}{key}.")]
    return [prefix[:-1]]


def test_parts_carry_all_of_their_options(load: Load) -> None:
    config = load().config
    assert config.inputs == {
        "source": Part.model_validate({"name": "words", "lowercase": False, "rate": None})
    }
    assert config.tokenizers["joint"].options == {"normalization": "nfc", "size": None, "min_count": 2}
    assert config.model.attention is not None
    assert config.model.attention.options == {"hidden": 256}


def test_options_are_of_their_types(load: Load) -> None:
    given = "inputs: {source: {rate: 1e3, lowercase: true}}\nmodel: {encoder: {dropout: 0}}\n"
    config = load(ECHO + given, "train.minutes=2", "evaluate.metrics=[{name: chrf, word_order: 2}]").config
    assert repr(config.inputs["source"].options) == "{'lowercase': True, 'rate': 1000.0}"
    assert repr(config.model.encoder.options["dropout"]) == "0.0"
    assert repr(config.train.minutes) == "2.0"
    assert config.evaluate.metrics[0].options["word_order"] == 2


def test_a_section_keeps_the_name_of_its_default(load: Load) -> None:
    measure = (
        "task: measure\ntokenizers: {left: word}\nmodel: {encoder: rnn, head: scalar}\ndata:\n"
        "  train: {left: a, right: b, target: c}\n  valid: {left: a, right: b, target: c}\n"
    )
    given = "inputs.right.scale.factor=2"
    assert load(measure, given).config.inputs["right"].options["scale"] == {"name": "linear", "factor": 2}
    scale = "inputs.right.scale={name: log}"
    assert load(measure, scale).config.inputs["right"].options["scale"] == {"name": "log"}


def test_a_bare_name_keeps_what_the_preset_says_of_that_part(load: Load) -> None:
    assert load(ECHO + "model: {encoder: rnn}\n").config.model.encoder.options["hidden"] == 8


def test_another_name_drops_what_the_preset_says_of_the_part(load: Load) -> None:
    encoder = load(ECHO + "model: {encoder: transformer}\n", "model.encoder.layers=3").config.model.encoder
    assert "hidden" not in encoder.options
    assert encoder.options["layers"] == 3
    optimizer = load(ECHO, "train.optimizer.name=adam").config.train.optimizer
    assert optimizer.model_dump()["epsilon"] == 1e-9


def test_a_variant_without_a_name_is_the_default_one(load: Load) -> None:
    text = (
        ECHO.replace("tiny", "small") + "tokenizers: {joint: byte}\nmodel: {encoder: rnn, decoder: rnn}\n"
    )
    job = load(
        text, "train.optimizer.epsilon=1e-8", "train.schedule.warmup=3", "model.head.label_smoothing=0"
    )
    assert job.config.train.optimizer.name == "adamw"
    assert job.config.train.schedule.name == "inverse_sqrt"
    head = job.config.model.head
    assert (head.name, head.options["label_smoothing"]) == ("sequence", 0.0)
    assert job.config.model.width == 32


def test_null_takes_a_part_away(load: Load) -> None:
    assert load(ECHO, "model.attention=null").config.model.attention is None


def test_tokenizers_of_each_slot_replace_a_joint_one(load: Load) -> None:
    tokenizers = load(
        ECHO + "tokenizers: {source: char, target: {name: bpe, size: 300}}\n"
    ).config.tokenizers
    assert {slot: part.name for slot, part in tokenizers.items()} == {"source": "char", "target": "bpe"}


def test_the_preset_may_be_set_on_the_command_line(load: Load) -> None:
    job = load(ECHO, "preset=small", "tokenizers.joint=byte", "model={encoder: rnn, decoder: rnn}")
    assert (job.config.model.width, job.origins["model.width"]) == (32, "preset small")
    assert job.config.preset == "small"


def test_overrides_go_in_their_order(load: Load) -> None:
    assert load(ECHO, "train.steps=1", "train.steps=2").config.train.steps == 2


@pytest.mark.parametrize("override", ["train.steps", "=3", "train..steps=3", ""])
def test_an_override_that_is_none(override: str, load: Load) -> None:
    with pytest.raises(UsageError, match="--set takes key=value"):
        load(ECHO, override)


def test_tables_have_columns_for_the_slots(load: Load) -> None:
    split = "{file: a.tsv, columns: {source: 0, target: de}}"
    config = load(f"task: echo\npreset: tiny\ndata: {{train: {split}, valid: {split}}}\n").config
    assert config.data.train.columns == {"source": 0, "target": "de"}  # type: ignore[union-attr]


# The data's root ---------------------------------------------------------------------------------------


def test_root_is_relative_to_the_job_file(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_DATA", "some/where")
    assert load().root == Path()
    assert load(ECHO, "data.root=../${SOME_DATA}/x").root == Path("../some/where/x")
    monkeypatch.setenv("SOME_DATA", str(tmp_path))
    assert load(ECHO, "data.root=${SOME_DATA}/x").root == tmp_path / "x"


def test_a_variable_that_is_not_set(
    refusal: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOME_DATA", raising=False)
    text = ECHO.replace("data:\n", "data:\n  root: ${SOME_DATA}/x\n")
    assert refusal(text) == ["job.yaml:4: data.root: the environment variable SOME_DATA is not set"]


# Saved jobs --------------------------------------------------------------------------------------------


def test_a_saved_job_is_the_same_job(load: Load, catalog: Catalog, tmp_path: Path) -> None:
    job = load(ECHO, "evaluate.metrics=[bleu]", "train.optimizer={name: adam, betas: [0.5, 0.6]}")
    saved = json.loads(json.dumps(job.config.model_dump(mode="json")))
    again = job_from_dict(saved, catalog, tmp_path)
    assert again.config == job.config
    assert again.path == tmp_path / "config.json"
    assert set(again.origins.values()) == {str(tmp_path / "config.json")}


def test_a_saved_job_does_not_ask_its_preset_again(load: Load, catalog: Catalog, tmp_path: Path) -> None:
    saved = load().config.model_dump(mode="json") | {"preset": "gone"}
    del saved["model"]["attention"]
    assert job_from_dict(saved, catalog, tmp_path).config.model.attention is None


def test_a_saved_job_resolves_its_root_on_use(
    load: Load, catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOME_DATA", raising=False)
    saved = load().config.model_dump(mode="json")
    saved["data"]["root"] = "${SOME_DATA}"
    job = job_from_dict(saved, catalog, tmp_path)
    with pytest.raises(ConfigError, match="SOME_DATA is not set"):
        _ = job.root


def test_a_saved_job_of_a_plugin_that_is_gone(load: Load, tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=r"config.json: no task 'echo'; there are: none\."):
        job_from_dict(load().config.model_dump(mode="json"), Catalog(), tmp_path)
