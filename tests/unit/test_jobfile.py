from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seqloom.catalog import Catalog
from seqloom.config import Part
from seqloom.errors import ConfigError, PluginError, UsageError
from seqloom.jobfile import Job, job_from_dict, load_job

DATA = """\
data:
  train: {source: train.a, target: train.b}
  valid: {source: valid.a, target: valid.b}
"""
ECHO = "task: echo\npreset: tiny\n" + DATA

Load = Callable[..., Job]


@pytest.fixture
def catalog(parts: Path) -> Catalog:
    return Catalog.discover()


@pytest.fixture
def load(catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """``load(text, "key=value")`` reads a job file job.yaml in the working folder."""
    monkeypatch.chdir(tmp_path)

    def load(text: str = ECHO, *overrides: str) -> Job:
        Path("job.yaml").write_text(text)
        return load_job(Path("job.yaml"), catalog, overrides)

    return load


@pytest.fixture
def refusal(load: Load) -> Callable[..., list[str]]:
    """The lines in which a job is refused."""

    def refusal(text: str, *overrides: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load(text, *overrides)
        assert "pydantic" not in str(caught.value)
        return str(caught.value).splitlines()

    return refusal


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
    assert job.config.model.head == Part.model_validate({"name": "sequence", "label_smoothing": 0.0})
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


# Refusals ----------------------------------------------------------------------------------------------


def test_everything_wrong_is_told_at_once_each_with_its_place(refusal: Callable[..., list[str]]) -> None:
    text = (
        ECHO + "train:\n  stesp: 3\n  seed: abc\n  optimizer: {betas: 1}\nmodel:\n  encoder: {layrs: 2}\n"
    )
    lines = refusal(text, "decode.beam=0", "devise=cpu", "data.train.file=x")
    train_keys = (
        "accumulate, average, batch_elements, clip_norm, keep, learning_rate, log_every, minutes, optimizer, "
        "parameters, save_every, schedule, seed, steps, tensorboard"
    )
    assert lines == [
        "job.yaml:11: model.encoder: no key 'layrs'; there are: bidirectional, cell, dropout, hidden, "
        "layers, reverse. Did you mean 'layers'?",
        "job.yaml:9: train.optimizer: no key 'betas'; there are: momentum, name, weight_decay.",
        f"job.yaml:7: train: no key 'stesp'; there are: {train_keys}. Did you mean 'steps'?",
        "--set: no key 'devise'; there are: allocator, data, decode, device, dtype, evaluate, inputs, model, "
        "name, preset, task, tokenizers, train. Did you mean 'device'?",
        "--set: data.train.columns: is missing",
        "job.yaml:8: train.seed: expected a whole number, found 'abc'",
        "--set: decode.beam: expected greater than or equal to 1, found 0",
    ]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["preset=tinny"], "--set: no preset 'tinny'; there are: small, tiny. Did you mean 'tiny'?"),
        (["preset=[1]"], "--set: no preset '[1]'; there are: small, tiny."),
        (["task=eco"], "--set: no task 'eco'; there are: "),
        (["task=null"], "--set: `task` names what to do; there are: echo"),
        (["task.loud=1"], "--set: task: no key 'loud'; there are: none."),
        (["model.encoder=rn"], "--set: no encoder 'rn'; there are: rnn, transformer. Did you mean 'rnn'?"),
        (["model.encoder=3"], "--set: model.encoder: expected a mapping, found 3"),
        (
            ["model.encoder={layers: 3}", "model.encoder.name=[]"],
            "--set: model.encoder.name: expected text, found",
        ),
        (
            ["model.head.label_smoothing=1"],
            "--set: model.head.label_smoothing: expected less than 1, found 1",
        ),
        (["name=my job"], "--set: name: string should match pattern"),
        (["train=3"], "--set: train: expected a mapping, found 3"),
        (
            ["train.optimizer.name=adm"],
            "--set: train.optimizer: expected a name out of 'adamw', 'adam', 'sgd'",
        ),
        (["evaluate.metrics=bleu"], "--set: evaluate.metrics: expected a list, found 'bleu'"),
        (["decode.n_best=9"], "--set: decode: n_best 9 asks for more outputs than beam 5 keeps"),
        (
            ["inputs.sauce=words"],
            "--set: inputs: no input 'sauce'; there are: source. Did you mean 'source'?",
        ),
        (["inputs.source={rate: .inf}"], "--set: inputs.source.rate: expected a number, found '.inf'"),
        (
            ["inputs.source={lowercase: yes}"],
            "--set: inputs.source.lowercase: expected true or false, found 'yes'",
        ),
        (["model.tie_output=1"], "--set: model.tie_output: expected true or false, found 1"),
        (["train.steps='5'"], "--set: train.steps: expected a whole number, found '5'"),
        (["train.steps=1e3"], "--set: train.steps: expected a whole number, found 1000.0"),
        (["train.learning_rate='0.1'"], "--set: train.learning_rate: expected a number, found '0.1'"),
        (
            ["train.optimizer={name: adam, betas: [0.5, '1']}"],
            "--set: train.optimizer.betas.1: expected a number, found '1'",
        ),
        (
            ["tokenizers={source: byte, joint: byte}"],
            "--set: tokenizers.source: `joint` serves all slots already",
        ),
        (
            ["tokenizers={source: byte}"],
            "--set: tokenizers: none for target; give one for each, or one for all",
        ),
        (
            ["tokenizers.sauce=byte"],
            "--set: tokenizers: no slot of tokens 'sauce'; there are: joint, source, target",
        ),
        (
            ["model.decoder=null", "model.attention=null"],
            "--set: model.decoder: is missing; head sequence needs one",
        ),
        (
            ["model.decoder=transformer"],
            "preset tiny: model.attention: decoder transformer takes none; set it to null",
        ),
        (["model.head=scalar"], "preset tiny: model.decoder: head scalar takes none; set it to null"),
        (
            ["model={head: scalar, decoder: null}"],
            "preset tiny: model.attention: decoder null takes none; set it to null",
        ),
        (["data.test={source: x}"], "--set: data.test.target: is missing"),
        (
            ["data.test={source: x, target: y, tagret: z}"],
            "--set: data.test: no slot 'tagret'; there are: source, targ",
        ),
        (
            ["data.test={file: x.tsv, columns: {target: [1]}}"],
            "--set: data.test.columns.target: expected a whole number or text, found a list",
        ),
        (["data.test={file: x.tsv, columns: {target: 1}}"], "--set: data.test.columns.source: is missing"),
        (["data.test=[{source: x, target: y}, {source: x}]"], "--set: data.test.1.target: is missing"),
        (
            ["data.test=[{file: x.tsv, columns: {target: 1}}]"],
            "--set: data.test.0.columns.source: is missing",
        ),
        (["data.test=[{source: x, target: y, tagret: z}]"], "--set: data.test.0: no slot 'tagret'; there"),
        (["data.test=[{file: x.tsv, colums: {}}]"], "--set: data.test.0: no key 'colums'"),
        (["data.test=[{files: {source: x}}]"], "--set: data.test.0.files.target: is missing"),
        (
            ["data.test={files: {source: x, target: y}, weight: 2}"],
            "--set: data.test.weight: only data.train is weighed",
        ),
        (
            ["data.train={source: x, target: y, weight: 2}"],
            "--set: data.train: files with a weight go into `files`: {files: {source: …}, weight: 2}",
        ),
        (
            ["data.train={files: {source: x, target: y}, weight: 0}"],
            "--set: data.train.weight: expected greater than 0, found 0",
        ),
        (["data.test=[[]]"], "--set: data.test.0: expected a mapping, found a list"),
        (["data.test=[]"], "--set: data.test: "),
        (["evaluate.metrics=[bleu, bleu]"], "--set: evaluate.metrics.1: bleu is there twice"),
        (
            ["evaluate.best=blue", "evaluate.metrics=[bleu]"],
            "--set: evaluate.best: no score 'blue'; there are: accuracy, bleu, ppl. Did you mean 'bleu'?",
        ),
        (["train.steps={a: *b}"], "--set train.steps={a: *b}: aliases (*) are not allowed here"),
    ],
)
def test_a_job_that_makes_no_sense_is_refused(
    overrides: list[str], message: str, refusal: Callable[..., list[str]]
) -> None:
    lines = refusal(ECHO, *overrides)
    assert lines[0].startswith(message)


MEASURE = """\
task: measure
data: {train: {left: a, right: b, target: c}, valid: {left: a, right: b, target: c}}
model: {encoder: rnn, head: scalar}
tokenizers: {left: byte}
"""


def test_a_task_without_a_target_of_tokens(load: Load, refusal: Callable[..., list[str]]) -> None:
    config = load(MEASURE).config
    assert set(config.inputs) == {"left", "right"}
    assert refusal(MEASURE, "model.head=sequence") == [
        "--set: model.head: sequence writes tokens, and measure has no such target"
    ]
    assert refusal(MEASURE, "inputs.left=numbers", "tokenizers=null")[0].startswith(
        "--set: tokenizers: expected"
    )
    assert refusal(MEASURE, "inputs.left=numbers", "tokenizers.joint=byte") == [
        "--set: tokenizers.joint: task measure has no tokens"
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "job.yaml: not a mapping of keys to values; `seqloom init TASK` writes a job file"),
        ("- a", "job.yaml: not a mapping"),
        ("data: {}\n", "job.yaml: `task` names what to do; there are: echo"),
        ("task: echo\ntask: echo\n", "job.yaml:2: the key 'task' is there already: job.yaml:1"),
        ("task: echo\n", "job.yaml: data: is missing"),
    ],
)
def test_a_file_that_is_no_job(text: str, message: str, refusal: Callable[..., list[str]]) -> None:
    assert refusal(text)[0].startswith(message)


def test_a_file_that_cannot_be_read(catalog: Catalog, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none.yaml: No such file or directory"):
        load_job(tmp_path / "none.yaml", catalog)
    (tmp_path / "job.yaml").write_bytes(b"task: \xff")
    with pytest.raises(ConfigError, match=r"job.yaml: not UTF-8: byte 6 is invalid start byte"):
        load_job(tmp_path / "job.yaml", catalog)


def test_a_byte_order_mark_is_no_matter(catalog: Catalog, tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(ECHO, encoding="utf-8-sig")
    assert load_job(tmp_path / "job.yaml", catalog).config.task.name == "echo"


def test_a_quarantined_plugin_explains_a_part_that_is_not_there(
    install: Callable[..., Path], tmp_path: Path
) -> None:
    install("audio", "raise ImportError('no libsndfile')")
    (tmp_path / "job.yaml").write_text("task: transcription\n")
    with pytest.raises(PluginError, match=r"(?s)job.yaml:1: no task 'transcription'.*audio.*no libsndfile"):
        load_job(tmp_path / "job.yaml", Catalog.discover())
