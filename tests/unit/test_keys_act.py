"""Every key of a job acts: a case for each changes it, and something else comes out, or a refusal."""

from __future__ import annotations

import re
import typing
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import BaseModel
from torch import nn

from seqloom.build import Builder
from seqloom.config import JobConfig, ParallelSplit, Part, TableSplit
from seqloom.errors import DataError, SeqloomError
from seqloom.jobfile import Job
from seqloom.jobs import evaluate_job, train_job
from seqloom.optim import learning_rate, make_optimizer
from seqloom.site import Site, open_model
from seqloom.task import Example

BASE = ("model.width=8", "train.steps=2", "train.batch_elements=64", "train.schedule.warmup=0")
DECODING = ("decode.beam=3", "decode.n_best=2", "decode.max_length_offset=3")


def leaves(model: type[BaseModel], path: str = "") -> Iterator[str]:
    """The dotted keys of a model's values, those of every variant of a section."""
    for name, field in model.model_fields.items():
        sections = [kind for kind in _kinds(field.annotation) if _is_section(kind)]
        if not sections:
            yield path + name
        for section in sections:
            yield from leaves(section, f"{path}{name}.")


def _kinds(annotation: Any) -> Iterator[Any]:
    inner = typing.get_args(annotation)
    yield from (kind for part in inner for kind in _kinds(part)) if inner else (annotation,)


def _is_section(kind: Any) -> bool:
    files = {Part, TableSplit, ParallelSplit}
    return isinstance(kind, type) and issubclass(kind, BaseModel) and kind not in files


def key_of(override: str) -> str:
    return override.partition("=")[0]


def keys_of(override: str) -> list[str]:
    """The key, or those of the sections in its list."""
    key, _, value = override.partition("=")
    inner = re.findall(r"(\w+):", value) if value.startswith("[{") else []
    return [f"{key}.{name}" for name in inner] or [key]


# What to look at ---------------------------------------------------------------------------------------


def trained(job: Job, site: Site) -> Any:
    """Scores and checkpoints of a training of some steps, and what its log holds."""
    done = train_job(job, site)
    folder = site.runs / done.run.id
    steps = sorted(path.name for path in (folder / "checkpoints").iterdir())
    lines = (folder / "metrics.jsonl").read_text().count("\n")
    scores = {score.metric: (score.value, score.signature) for score in done.scores}
    return done.model.name, done.run.seed, done.run.device_reason, scores, steps, lines


def skipping(job: Job, site: Site) -> Any:
    """What a training says of an empty line among its 40."""
    lines = (job.root / "train.src").read_text().splitlines()
    (job.root / "empty.src").write_text("\n".join([*lines[:3], "", *lines[4:]]))
    try:
        folder = site.runs / train_job(job, site).run.id
    except DataError as refusal:
        return str(refusal)
    return (folder / "skipped.jsonl").read_text()


def files(job: Job, site: Site) -> Any:
    """What lies in a run's folder."""
    run = train_job(job, site).run
    return sorted(path.name for path in Path(run.folder).iterdir())


def decoded(job: Job, site: Site) -> Any:
    """All that a search gives for some inputs."""
    predictor = open_model(train_job(job, site).model.uri, site)
    found = predictor.decode_all(["1 2 3", "4"])
    return [
        [
            (h.tokens, round(h.score, 5), h.attention is not None, h.emissions is not None)
            for h in prediction.hypotheses
        ]
        for prediction in found
    ]


def batch_sizes(job: Job, site: Site) -> Any:
    """How many inputs a model sees at a time while it decodes."""
    predictor = open_model(train_job(job, site).model.uri, site)
    sizes = []
    encode = predictor.model.encode
    predictor.model.encode = lambda inputs: (sizes.append(len(inputs["source"].lengths)), encode(inputs))[1]
    list(predictor.decode_all(["1 2 3", "4", "5"]))
    return sizes


def optimized(job: Job, site: Site) -> Any:
    """The optimiser's kind and the settings of its groups."""
    optimizer = make_optimizer(nn.Linear(2, 2), job.config.train, fused=False)
    groups = [{k: v for k, v in group.items() if k != "params"} for group in optimizer.param_groups]
    return type(optimizer), groups


def rates(job: Job, site: Site) -> Any:
    return [learning_rate(step, job.config.train, [9.0, 9.0, 9.0]) for step in range(1, 9)]


def built(job: Job, site: Site) -> Any:
    """The model as text: each layer and its sizes."""
    builder = Builder(job.config, site.catalog)
    kit = builder.kit(builder.fit_tokenizers([Example(0, {"source": "1 2"}, "2 1", ["2 1"])]))
    model = builder.model(kit)
    return str(model), sum(p.numel() for p in model.parameters()), vars(model.head)["label_smoothing"]


def evaluated(job: Job, site: Site) -> Any:
    """Scores of the test set."""
    predictor = open_model(train_job(job, site).model.uri, site)
    return [
        (score.metric, score.value) for score in evaluate_job(predictor, site, "test", predictor.decode)[1]
    ]


def crew(job: Job, site: Site) -> Any:
    """What a training says of who makes its batches."""
    said: list[str] = []
    train_job(job, replace(site, say=said.append))
    return [line for line in said if "batches" in line]


def goal(job: Job, site: Site) -> Any:
    return Builder(job.config, site.catalog).goal()


RNN = ("model.encoder={name: rnn, hidden: 8}", "model.decoder={name: rnn, hidden: 8}")
SCORED = ("evaluate.metrics=[bleu]", "evaluate.every=1")
EMPTY = ("data.train.source=empty.src",)
SGD = ("train.optimizer={name: sgd}",)
PLATEAU = ("train.schedule={name: plateau, warmup: 0}",)
Look = Callable[[Job, Site], Any]
CASES: list[tuple[str, Look, tuple[str, ...]]] = [
    ("task=transcription", trained, ()),
    ("preset=huge", trained, ()),
    ("name=other", trained, ()),
    ("device=auto" if torch.cuda.is_available() else "device=cuda", trained, ()),
    ("dtype=bf16", trained, ()),
    ("allocator=system", trained, ()),
    ("data.root=elsewhere", trained, ()),
    ("data.train.source=valid.src", trained, ()),
    ("data.train={files: {source: train.src, target: train.tgt}, weight: 0.5}", trained, ()),
    ("data.valid={source: test.src, target: test.tgt}", trained, ()),
    ("data.valid=[{source: test.src, target: test.tgt}, {source: valid.src, target: valid.tgt}]", trained, ()),
    ("data.test={source: valid.src, target: valid.tgt}", evaluated, ()),
    ("data.max_length=4", trained, ()),
    ("data.on_bad_example=skip", skipping, (*EMPTY, "data.bad_examples=0.05")),
    ("data.bad_examples=0.03", skipping, (*EMPTY, "data.on_bad_example=skip")),
    ("data.workers=1", crew, ()),
    ("inputs={source: speech}", trained, ()),
    ("tokenizers={joint: char}", trained, ()),
    ("model.width=12", built, ()),
    ("model.encoder.layers=2", built, ()),
    ("model.attention=dot", built, RNN),
    ("model.decoder.layers=2", built, ()),
    ("model.head.label_smoothing=0.3", built, ()),
    ("model.tie_output=false", built, ()),
    ("train.steps=3", trained, ()),
    ("train.minutes=1e-9", trained, ()),
    ("train.batch_elements=32", trained, ()),
    ("train.accumulate=2", trained, ()),
    ("train.seed=2", trained, ()),
    ("train.learning_rate=0.1", rates, ()),
    ("train.optimizer.name=adam", optimized, ()),
    ("train.optimizer.betas=[0.5, 0.6]", optimized, ()),
    ("train.optimizer.epsilon=0.1", optimized, ()),
    ("train.optimizer.weight_decay=0.1", optimized, ()),
    ("train.optimizer.momentum=0.5", optimized, SGD),
    ("train.schedule.name=constant", rates, ()),
    ("train.schedule.warmup=5", rates, ()),
    ("train.schedule.factor=0.1", rates, PLATEAU),
    ("train.schedule.patience=1", rates, PLATEAU),
    ("train.parameters=[{match: '*.bias', freeze: true}]", trained, ("train.steps=3",)),
    ("train.parameters=[{match: '*', learning_rate_factor: 0.1}]", trained, ("train.steps=3",)),
    ("train.parameters=[{match: '*', weight_decay: 0.1}]", optimized, ()),
    ("train.clip_norm=1e-3", trained, SGD),
    ("train.compile=true", trained, RNN),
    ("train.log_every=2", trained, ()),
    ("train.tensorboard=true", files, ()),
    ("train.save_every=1", trained, ()),
    ("train.keep=4", trained, ("train.steps=5", "evaluate.every=1")),
    ("train.ema=0.5", trained, ()),
    ("train.average=4", trained, ("train.steps=5", "evaluate.every=1", "train.keep=1")),
    ("evaluate.every=1", trained, ()),
    ("evaluate.metrics=[bleu]", trained, ()),
    ("evaluate.best=accuracy", goal, ()),
    ("evaluate.patience=1", trained, ("train.steps=9", "evaluate.every=1", "train.learning_rate=9")),
    ("evaluate.beam=3", trained, SCORED),
    ("evaluate.baselines=[frequent]", evaluated, SCORED),
    ("evaluate.by=speaker", evaluated, SCORED),
    ("decode.beam=12", decoded, ("decode.beam=1", "decode.n_best=1", "decode.length_penalty=0")),
    ("decode.n_best=1", decoded, ()),
    ("decode.length_penalty=3", decoded, ()),
    ("decode.max_length_factor=0", decoded, ()),
    ("decode.max_length_offset=1", decoded, ("decode.max_length_factor=0",)),
    ("decode.min_length=9", decoded, ("decode.max_length_offset=12",)),
    ("decode.batch_size=1", batch_sizes, ()),
    ("decode.batch_elements=4", batch_sizes, ()),
    ("decode.attention=true", decoded, ()),
    ("decode.emissions=true", decoded, ("model.head={name: sequence, ctc: 0.2}",)),
    ("decode.ctc=0.9", decoded, ("model.head={name: sequence, ctc: 0.2}",)),
]  # fmt: skip


def test_every_key_has_a_case() -> None:
    keys = set(leaves(JobConfig))
    tested = {key for override, _, _ in CASES for key in keys_of(override)}
    without = {k for k in keys if not any(t == k or t.startswith(f"{k}.") for t in tested)}
    assert not without


@pytest.mark.parametrize(("override", "look", "base"), CASES, ids=[key_of(case[0]) for case in CASES])
def test_key_acts(
    job: Callable[..., Job], site: Site, override: str, look: Look, base: tuple[str, ...]
) -> None:
    common = (*BASE, *DECODING, *base)
    before = look(job(*common), site)
    assert look(job(*common), site) == before  # else a difference would show nothing
    try:
        after = look(job(*common, override), site)
    except SeqloomError as refusal:
        after = str(refusal)
        said = any(word in after for word in re.findall(r"\w+", override))
    else:
        said = True
    assert said, f"the refusal does not name what it refuses: {after}"
    assert after != before
