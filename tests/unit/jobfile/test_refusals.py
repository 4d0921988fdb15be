"""Jobs that are refused, each with the place that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from seqloom.catalog import Catalog
from seqloom.errors import ConfigError, PluginError
from seqloom.jobfile import Job, load_job

DATA = """\
data:
  train: {source: train.a, target: train.b}
  valid: {source: valid.a, target: valid.b}
"""
ECHO = "task: echo\npreset: tiny\n" + DATA

Load = Callable[..., Job]


def test_everything_wrong_is_told_at_once_each_with_its_place(refusal: Callable[..., list[str]]) -> None:
    text = (
        ECHO + "train:\n  stesp: 3\n  seed: abc\n  optimizer: {betas: 1}\nmodel:\n  encoder: {layrs: 2}\n"
    )
    lines = refusal(text, "decode.beam=0", "devise=cpu", "data.train.file=x")
    train_keys = (
        "accumulate, average, batch_elements, clip_norm, compile, ema, keep, learning_rate, log_every, minutes, "
        "optimizer, parameters, save_every, schedule, seed, steps, tensorboard"
    )
    assert lines == [
        "job.yaml:11: model.encoder: no key 'layrs'; there are: bidirectional, cell, dropout, hidden, "
        "layers, pyramid, reverse. Did you mean 'layers'?",
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
        (["task=null"], "--set: `task` names what to do; there are: "),
        (["task.loud=1"], "--set: task: no key 'loud'; there are: none."),
        (
            ["model.encoder=rn"],
            "--set: no encoder 'rn'; there are: conformer, none, rnn, transformer. Did you mean 'rnn'?",
        ),
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
            "--set: data.test.columns.source: is missing",
        ),
        (
            ["data.test={file: x.tsv, columns: {target: {a: 1}}}"],
            "--set: data.test.columns.target: expected a whole number or text or a list, found a mapping",
        ),
        (
            ["data.test={file: x.tsv, columns: {source: [0, 1], target: 2}}"],
            "--set: data.test.columns.source: only `target` may have several",
        ),
        (
            ["data.test={source: x, target: []}"],
            "--set: data.test.target: an empty list names nothing",
        ),
        (
            ["data.test={file: x.tsv, columns: {source: 0, target: 1}, targets: 0}"],
            "--set: data.test.targets: expected greater than or equal to 1, found 0",
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
            ["evaluate.baselines=[luck]"],
            "--set: evaluate.baselines.0: no baseline 'luck'; there are: frequent, nearest.",
        ),
        (
            ["evaluate.baselines=[frequent, frequent]"],
            "--set: evaluate.baselines.1: frequent is there twice",
        ),
        (
            ["evaluate.baselines=['frequent:']"],
            "--set: evaluate.baselines.0: no baseline 'frequent:'; there are: frequent, nearest. "
            "Did you mean 'frequent'?",
        ),
        (
            ["evaluate.baselines=['frequent:service']"],
            "--set: evaluate.baselines.0: 'service': data.train has no tags; name its column there",
        ),
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
        ("data: {}\n", "job.yaml: `task` names what to do; there are: "),
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
