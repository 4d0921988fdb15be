"""Jobs leave records: of what they read, how they ended, and what they made."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from seqloom.checkpoint import Checkpoints
from seqloom.errors import (
    BusyError,
    ConfigError,
    CorruptError,
    DataError,
    StorageError,
    UsageError,
)
from seqloom.jobfile import Job
from seqloom.jobs import evaluate_job, resume_job, train_job
from seqloom.site import Site, find_run, open_model


def test_a_failed_run_says_why(job: Callable[..., Job], site: Site) -> None:
    with pytest.raises(DataError):
        train_job(job("train.batch_elements=1"), site)
    (run,) = site.registry.runs()
    assert run.status == "failed"
    assert run.error is not None
    assert "train.batch_elements" in run.error


def test_a_training_says_what_it_cost(job: Callable[..., Job], site: Site) -> None:
    said: list[str] = []
    train_job(job("train.steps=2"), dataclasses.replace(site, say=said.append))
    (cost,) = [line for line in said if line.startswith("peak memory")]
    assert re.fullmatch(r"peak memory [\d,]+ MiB; \d+\.\d% of the training was waiting for data", cost)


def test_skipped_examples_are_told_of(job: Callable[..., Job], site: Site, workplace: Any) -> None:
    lines = workplace.lines("train.src")
    (workplace.folder / "train.src").write_text("\n".join(["", *lines[1:]]) + "\n")
    said: list[str] = []
    asked = job("train.steps=1", "data.on_bad_example=skip", "data.bad_examples=0.025")
    folder = site.runs / train_job(asked, dataclasses.replace(site, say=said.append)).run.id
    assert f"skipped, as they cannot be used: 1; see {folder / 'skipped.jsonl'}" in said
    assert any(line.startswith("39 examples,") for line in said)
    (entry,) = (folder / "skipped.jsonl").read_text().splitlines()
    assert json.loads(entry) == {
        "file": str(workplace.folder / "train.src"),
        "line": 1,
        "reason": "nothing but white space for 'source'",
    }


def test_frozen_parameters_are_said_aloud_and_stay(job: Callable[..., Job], site: Site) -> None:
    said: list[str] = []
    rule = "train.parameters=[{match: encoders.*, freeze: true}]"
    run = train_job(job("train.steps=4", rule), dataclasses.replace(site, say=said.append)).run
    assert any(re.search(r"parameters, [1-9][\d,]* of them frozen", line) for line in said)
    first, last = (Checkpoints(Path(run.folder) / "checkpoints").weights(step) for step in (2, 4))
    changed = {name.split(".")[0] for name in first if not torch.equal(first[name], last[name])}
    assert changed == {"frontends", "head"}


def test_a_finished_run_is_not_resumed(job: Callable[..., Job], site: Site) -> None:
    run = train_job(job("train.steps=1"), site).run
    with pytest.raises(UsageError, match=f"run {run.id} has finished"):
        resume_job(Path(run.folder), site)
    assert [model.version for model in site.registry.models()] == [1]


def test_data_that_changed_is_not_resumed(job: Callable[..., Job], site: Site, workplace: Any) -> None:
    folder = site.runs / train_job(job("train.steps=1"), site).run.id
    (workplace.folder / "train.src").write_text("1\n" * 40)
    with pytest.raises(DataError, match=r"train\.src: this file has changed since the run began"):
        resume_job(folder, site)


def test_a_run_that_is_trained_already_is_busy(job: Callable[..., Job], site: Site) -> None:
    """A second process asks while the first one trains; here the first one's stop asks for it."""
    asked: list[BaseException] = []

    def stop() -> int | None:
        (folder,) = site.runs.glob("2*")
        with pytest.raises(BusyError) as caught:
            resume_job(folder, site)
        asked.append(caught.value)
        return None

    train_job(job("train.steps=1"), replace(site, stop=stop))
    assert "another process is training in" in str(asked[0])


@pytest.mark.parametrize("text", ["[]", "{}", '{"job": 1, "data": {}}'])
def test_a_folder_that_is_no_runs_is_told(site: Site, tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(CorruptError, match="not what a training run was started with"):
        resume_job(tmp_path, site)


def test_scores_are_signed_by_the_tokenizer_that_made_them(job: Callable[..., Job], site: Site) -> None:
    predictor = open_model(train_job(job("train.steps=1"), site).model.uri, site)
    other = job("tokenizers={joint: char}")
    _, scores, _ = evaluate_job(predictor, site, "valid", predictor.decode, other)
    assert scores[0].signature.startswith("token:word|")


def test_another_model_in_the_folder_is_noticed(job: Callable[..., Job], site: Site) -> None:
    first, second = (train_job(job(f"train.seed={seed}", "train.steps=1"), site).model for seed in (1, 2))
    shutil.rmtree(first.folder)
    shutil.copytree(second.folder, first.folder)
    with pytest.raises(CorruptError, match=f"another model than was registered as {first.uri}"):
        open_model(first.uri, site)


def test_an_evaluation_is_a_run_of_its_own(job: Callable[..., Job], site: Site) -> None:
    trained = train_job(job("train.steps=1"), site)
    predictor = open_model(trained.model.uri, site)
    run, scores, _ = evaluate_job(predictor, site, "test", predictor.decode)
    assert (run.kind, run.status, run.model) == ("evaluate", "finished", trained.model.uri)
    assert {score.split for score in scores} == {"test"}


def test_learned_positions_end_an_output_in_time(job: Callable[..., Job], site: Site) -> None:
    """An untrained model would write on and on."""
    learned = ("model.decoder.positions=learned", "model.decoder.max_positions=7")
    trained = train_job(job("train.steps=1", "train.learning_rate=1e-9", *learned), site)
    found = list(open_model(trained.model.uri, site).decode_all(["1 2 3"], max_length_offset=90))
    assert len(found[0].hypotheses[0].token_scores) <= 7


def test_a_split_that_the_job_lacks(job: Callable[..., Job], site: Site) -> None:
    trained = train_job(job("train.steps=1", "data.test=null"), site)
    predictor = open_model(trained.model.uri, site)
    with pytest.raises(ConfigError, match=r"the job has no data\.test"):
        evaluate_job(predictor, site, "test", predictor.decode)


def test_a_run_is_found_by_folder_id_and_beginning(job: Callable[..., Job], site: Site) -> None:
    run = train_job(job("train.steps=1"), site).run
    for name in (run.folder, run.id, run.id[:-2]):
        assert str(find_run(name, site)) == run.folder


def test_a_model_whose_folder_is_gone(job: Callable[..., Job], site: Site) -> None:
    trained = train_job(job("train.steps=1"), site)
    (site.runs / trained.run.id).rename(site.runs / "moved")
    with pytest.raises(StorageError, match="is not there any more"):
        open_model(trained.model.uri, site)
