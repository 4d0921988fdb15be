"""Jobs leave records: of what they read, how they ended, and what they made."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import signal
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from seqloom.checkpoint import Checkpoints
from seqloom.data.manifest import file_sha256
from seqloom.errors import (
    BusyError,
    ConfigError,
    CorruptError,
    DataError,
    Interrupted,
    StorageError,
    UsageError,
)
from seqloom.held import is_held
from seqloom.inputs import located_inputs
from seqloom.jobfile import Job
from seqloom.jobs import decode_job, evaluate_job, resume_job, train_job
from seqloom.predictions import Write
from seqloom.predictor import Predictor
from seqloom.recording import RunListener
from seqloom.registry.records import Run
from seqloom.registry.store import Registry
from seqloom.site import Site, find_run, open_model
from seqloom.storage import verify_folder
from seqloom.task import Prediction


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
    assert "another process is at work in" in str(asked[0])


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


# Records -----------------------------------------------------------------------------------------------


def test_a_run_says_where_it_ran_and_on_how_much(
    job: Callable[..., Job], site: Site, workplace: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["seqloom", "--registry", "postgresql://me:pass@host/db", "train"])
    run = train_job(job("train.steps=1"), site).run
    assert run.environment["command"] == "seqloom --registry 'postgresql://me:***@host/db' train"
    assert run.environment["threads"] == str(torch.get_num_threads())
    sizes = [(file.split, Path(file.path).name, file.rows, file.bytes) for file in run.data]
    assert sizes == [
        (split, f"{split}.{side}", count, (workplace.folder / f"{split}.{side}").stat().st_size)
        for split, count in (("train", 40), ("valid", 6))
        for side in ("src", "tgt")
    ]


def test_a_run_names_the_commit_of_the_repository_of_its_job(
    job: Callable[..., Job], site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[Path] = []
    monkeypatch.setattr(
        "seqloom.recording.git_state", lambda folder: asked.append(folder) or {"commit": "1f"}
    )
    trained = train_job(job("train.steps=1"), site)
    predictor = open_model(trained.model.uri, site)
    run, _, _ = evaluate_job(predictor, site, "test", predictor.decode)
    evaluate_job(predictor, site, "test", predictor.decode, job())
    assert trained.run.git == run.git == {"commit": "1f"}
    assert asked == [job().path.parent, Path.cwd(), job().path.parent]


def test_a_model_is_traced_to_its_checkpoints(job: Callable[..., Job], site: Site) -> None:
    run = train_job(job("train.steps=4", "train.average=2", "train.learning_rate=1e-9"), site).run
    left = site.registry.artefacts(run.id)
    config = (Path(run.folder) / "model" / "README.md").read_text()
    named = re.search(r"checkpoints? at steps? ([\d, ]+)", config)
    assert named is not None
    steps = list(map(int, named[1].split(", ")))
    checkpoints = Checkpoints(Path(run.folder) / "checkpoints")
    assert [(one.kind, one.path) for one in left] == [
        ("checkpoint", str(checkpoints.path(step))) for step in steps
    ]
    for one in left:
        assert one.sha256 == verify_folder(Path(one.path))
        assert one.bytes == sum(file.stat().st_size for file in Path(one.path).iterdir())


def test_what_happened_to_a_training_is_told(job: Callable[..., Job], site: Site) -> None:
    calls = iter([None, None, None, signal.SIGTERM])  # the third is the evaluation's
    with pytest.raises(Interrupted):
        train_job(job("train.steps=4"), replace(site, stop=lambda: next(calls, None)))
    [run] = site.registry.runs()
    resume_job(Path(run.folder), site)
    events = site.registry.events(run.id)
    assert [event.kind for event in events] == ["started", "best", "stopped", "resumed", "best", "finished"]
    started, best, stopped, resumed, *_ = (event.details for event in events)
    assert (started["step"], resumed["step"]) == (0, 3)
    assert (best["step"], best["metric"]) == (2, "ppl")
    assert stopped == {"signal": "SIGTERM", "reason": "stopped at step 3; its checkpoint is saved"}


def test_a_failure_is_told_as_an_event(job: Callable[..., Job], site: Site) -> None:
    with pytest.raises(DataError):
        train_job(job("train.batch_elements=1"), site)
    [run] = site.registry.runs()
    started, failed = site.registry.events(run.id)
    assert (started.kind, failed.kind) == ("started", "failed")
    assert failed.details == {"reason": run.error}


def test_thousands_of_skipped_steps_are_a_few_events() -> None:
    told: list[dict[str, Any]] = []
    ledger = SimpleNamespace(add_event=lambda kind, details: told.append({"kind": kind} | details))
    listener = RunListener(SimpleNamespace(), ledger, SimpleNamespace())  # type: ignore[arg-type]
    for step in range(1, 5001):
        listener.noticed({"step": step, "event": "skipped", "reason": "nan", "ids": list(range(100))})
    assert [one["count"] for one in told] == [*range(1, 11), 20, 40, 80, 160, 320, 640, 1280, 2560]
    last = {"kind": "skipped", "step": 2560, "reason": "nan", "ids": list(range(10)), "count": 2560}
    assert told[-1] == last


def test_an_evaluation_keeps_its_predictions(
    job: Callable[..., Job], site: Site, workplace: Any, tmp_path: Path
) -> None:
    trained = train_job(job("train.steps=1"), site)
    predictor, asked = open_model(trained.model.uri, site), job("evaluate.metrics=[bleu]")

    def write(predictions: Iterable[Prediction]) -> list[Path]:
        (tmp_path / "out.txt").write_text(f"{len(list(predictions))}")
        return [tmp_path / "out.txt"]

    run, _, predictions = evaluate_job(predictor, site, "test", predictor.decode, asked, write)
    assert json.loads((Path(run.folder) / "config.json").read_text())["job"] == run.config
    left = site.registry.artefacts(run.id)
    assert [one.kind for one in left] == ["predictions"] * 2
    own, users = (Path(one.path) for one in left)
    assert (own, users) == (Path(run.folder) / "predictions.jsonl", tmp_path / "out.txt")
    assert [one.sha256 for one in left] == [file_sha256(own), file_sha256(users)]
    lines = [json.loads(line) for line in own.read_text().splitlines()]
    assert [line["source"] for line in lines] == workplace.lines("test.src")
    best = [prediction.hypotheses[0] for prediction in predictions]
    assert [line["outputs"][0]["score"] for line in lines] == [one.score for one in best]


def decoded(site: Site, predictor: Predictor, file: Path, write: Write, *, keep: bool) -> Run:
    inputs = located_inputs(file.read_text().splitlines(), predictor.kit.slots, file)
    how = predictor.decoding(predictor.decode, predictor.kit.flags)
    return decode_job(predictor, site, file, inputs, how, write, keep=keep)


def test_a_decoding_keeps_what_nobody_else_does(
    job: Callable[..., Job], site: Site, tmp_path: Path
) -> None:
    predictor = open_model(train_job(job("train.steps=1"), site).model.uri, site)
    (tmp_path / "in.txt").write_text("1 2\n3 4\n")
    told: list[str] = []

    def write(predictions: Iterable[Prediction]) -> list[Path]:
        [run] = site.registry.runs("status = 'running'")
        for prediction in predictions:
            told.append(prediction.example.inputs["source"])
            assert is_held(Path(run.folder))
            assert not (Path(run.folder) / "predictions.jsonl").exists()  # until it has them all
        return []

    run = decoded(site, predictor, tmp_path / "in.txt", write, keep=True)
    assert (run.status, told) == ("finished", ["1 2", "3 4"])
    [left] = site.registry.artefacts(run.id)
    lines = [json.loads(line) for line in Path(left.path).read_text().splitlines()]
    assert [line["source"] for line in lines] == told
    assert not is_held(Path(run.folder))
    other = decoded(site, predictor, tmp_path / "in.txt", lambda found: list(found) and [], keep=False)
    assert (Path(other.folder) / "config.json").exists()
    assert not (Path(other.folder) / "predictions.jsonl").exists()


def test_a_decoding_whose_output_cannot_be_written_has_failed(
    job: Callable[..., Job], site: Site, tmp_path: Path
) -> None:
    predictor = open_model(train_job(job("train.steps=1"), site).model.uri, site)
    (tmp_path / "in.txt").write_text("1 2\n3 4\n")

    def write(predictions: Iterable[Prediction]) -> list[Path]:
        next(iter(predictions))
        raise StorageError("out.txt: cannot write it")

    with pytest.raises(StorageError, match="cannot write it"):
        decoded(site, predictor, tmp_path / "in.txt", write, keep=True)
    [run] = site.registry.runs("kind = 'decode'")
    assert (run.status, run.error) == ("failed", "StorageError: out.txt: cannot write it")
    assert site.registry.artefacts(run.id) == []
    assert sorted(file.name for file in Path(run.folder).iterdir()) == [".lock", "config.json"]


def test_an_evaluation_is_not_resumed(job: Callable[..., Job], site: Site) -> None:
    predictor = open_model(train_job(job("train.steps=1"), site).model.uri, site)
    run, _, _ = evaluate_job(predictor, site, "test", predictor.decode)
    with pytest.raises(UsageError, match=rf"run {run.id} is no training \(evaluate\)"):
        resume_job(Path(run.folder), site)
    assert site.registry.run(run.id) == run


# Models of runs ----------------------------------------------------------------------------------------


def test_a_runs_model_is_opened_by_the_run(job: Callable[..., Job], site: Site) -> None:
    trained = train_job(job("train.steps=1"), site)
    predictor = open_model(f"runs:/{trained.run.id[:-2]}", site)
    assert predictor.uri == trained.model.uri
    run, _, _ = evaluate_job(predictor, site, "test", predictor.decode)
    with pytest.raises(ConfigError, match=rf"run {run.id} \(evaluate\) made no model"):
        open_model(f"runs:/{run.id}", site)


def test_a_model_that_the_registry_has_not_heard_of_is_in_its_runs_folder(
    job: Callable[..., Job], site: Site, tmp_path: Path
) -> None:
    trained = train_job(job("train.steps=1"), site)
    with Registry(f"sqlite:///{tmp_path / 'other.db'}") as other:
        elsewhere = replace(site, registry=other)
        predictor = open_model(f"runs:/{trained.run.id}", elsewhere)
        assert predictor.uri == f"runs:/{trained.run.id}"
        run, _, _ = evaluate_job(predictor, elsewhere, "test", predictor.decode)
        assert run.model == predictor.uri
        shutil.rmtree(trained.model.folder)
        with pytest.raises(ConfigError, match="no run"):
            open_model(f"runs:/{trained.run.id}", elsewhere)


def test_a_deleted_model_is_not_used(job: Callable[..., Job], site: Site) -> None:
    model = train_job(job("train.steps=1"), site).model
    site.registry.delete_model(model.uri)
    for name in (model.uri, f"runs:/{model.run_id}"):
        with pytest.raises(ConfigError, match=r"was deleted at .* `seqloom models rm reverser/1 --undo`"):
            open_model(name, site)
    site.registry.restore_model(model.uri)
    assert open_model(model.uri, site).uri == model.uri
