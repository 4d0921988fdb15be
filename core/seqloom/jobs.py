"""What Seqloom does, from top to bottom: train, resume, evaluate, decode."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from seqloom.allocator import peak_memory_bytes
from seqloom.baselines import Frequent, baseline_answers
from seqloom.build import Builder
from seqloom.config import DecodeConfig
from seqloom.data.features import FeatureReader
from seqloom.data.manifest import Examples, Located, file_sha256
from seqloom.data.skipping import ignore, refuse
from seqloom.data.splits import split_files
from seqloom.device import Device
from seqloom.errors import DataError, Interrupted, StorageError, UsageError
from seqloom.evaluate import Evaluator
from seqloom.export import export_model
from seqloom.jobfile import Job, job_from_dict
from seqloom.journal import Journals
from seqloom.ledger import Ledger, known_run
from seqloom.plugincheck import RESERVED_BASELINES, tag_of
from seqloom.predictor import Predictor
from seqloom.progress import Listener, MetricsLog, tensorboard_log
from seqloom.registry.records import DataFile, Model, Run, RunKind, RunStatus, Score
from seqloom.registry.runs import new_run_id
from seqloom.site import Site, alone, read_run_config, versions
from seqloom.storage import storage_errors, write_json
from seqloom.stream import Decoding, decode_stream
from seqloom.task import Prediction
from seqloom.trainer import Trainer
from seqloom.training import evaluator, ready_training, split_of, training_device


@dataclass(frozen=True)
class Trained:
    """What a training leaves."""

    run: Run
    model: Model
    scores: Sequence[Score]


def train_job(job: Job, site: Site) -> Trained:
    """Trains a model, evaluates it and registers it; of several ranks, the first calls this."""
    site.registry.prepare()
    device = training_device(job, site.world)
    data = _data_files(job, ("train", "valid"))
    folder = site.runs / new_run_id()
    with storage_errors(folder, "make"):
        folder.mkdir(parents=True)
        write_json(folder / "config.json", {"job": _whole(job), "data": _hashes_of(data)})
    with alone(folder):
        run = _start(site, "train", job, device, folder=folder, data=data)
        return _train(site, run, device)


def resume_job(run_folder: Path, site: Site) -> Trained:
    """Goes on with a training from its newest checkpoint.

    One that came to its end while the registry was away is entered there, and that is all. Of several
    ranks, the first calls this.

    Raises:
        StorageError: The folder is no run's.
        DataError: The data is not what the run began with.
        UsageError: The run has come to its end already.
        ConfigError: The registry does not know the run.
    """
    saved = read_run_config(run_folder)
    with alone(run_folder):
        known = known_run(site.registry, run_folder.name)
        if Ledger(site.registry, known, site.say).replay():
            known = site.registry.run(known.id)
            if known.status == "finished" and known.model is not None:
                model = site.registry.model(known.model)
                return Trained(known, model, model.scores)
        job = job_from_dict(saved["job"], site.catalog, run_folder)
        for name, digest in _hashes_of(_data_files(job, ("train", "valid"))).items():
            if saved["data"].get(name) != digest:
                raise DataError("this file has changed since the run began; start a new run", name)
        device = training_device(job, site.world)
        if known.status == "finished":
            raise UsageError(f"run {known.id} has finished; there is nothing left of it to resume")
        return _train(site, site.registry.reopen_run(known.id), device)


def follow_job(site: Site) -> None:
    """Takes part in the training that rank 0 runs, which alone writes and speaks."""
    with torch.random.fork_rng(), site.world.together() as folder:
        if folder:
            ready_training(Path(folder), site)[1].fit()


def _train(site: Site, run: Run, device: Device) -> Trained:
    folder = Path(run.folder)
    ledger = Ledger(site.registry, run, site.say)
    with _recorded(site, run, ledger.end), torch.random.fork_rng(), ExitStack() as logs:
        site.say(f"run {run.id} on {device.reason}")

        def listen(trainer: Trainer) -> list[Listener]:
            # A process may have died between a checkpoint and the registry; a score entered twice is one.
            ledger.add_scores([score for group in trainer.state.scores.values() for score in group])
            step = trainer.state.step
            events = tensorboard_log(folder / "tensorboard", step, wanted=trainer.train.tensorboard)
            return [
                *logs.enter_context(events),
                MetricsLog(folder / "metrics.jsonl", step),
                _RegistryListener(site, ledger),
                *site.listeners,
            ]

        with site.world.together(str(folder)):
            prepared, trainer = ready_training(folder, site, listen)
            outcome = trainer.fit()
        site.say(_cost(trainer))
        model_folder = folder / "model"
        digest = export_model(
            model_folder, prepared.builder, trainer.model, prepared.kit.tokenizers, outcome, run.versions
        )
        ledger.add_model(model_folder, digest, outcome.scores)
    if ledger.trouble is not None:
        raise type(ledger.trouble)(
            f"the model in {model_folder} is whole, but the registry does not know of it: "
            f"{ledger.trouble}; {ledger.way_out()}"
        )
    model = ledger.model()
    if model is None:
        raise StorageError(f"the registry has lost the model of run {run.id}; its folder is {model_folder}")
    return Trained(site.registry.run(run.id), model, outcome.scores)


def evaluate_job(
    predictor: Predictor, site: Site, split: str, decode: DecodeConfig, job: Job | None = None
) -> tuple[Run, list[Score], list[Prediction]]:
    """Scores a model on ``data.valid`` or ``data.test`` of its job or another, and what else that asks for.

    These are the job's baselines, and the scores of each group of examples.
    """
    job = job or predictor.job
    data = _data_files(job, (split, "train") if job.config.evaluate.baselines else (split,))
    run = _start(site, "evaluate", job, predictor.device, data=data, model=_registered(predictor.uri))
    with _recorded(site, run, partial(site.registry.end_run, run.id)):
        builder = Builder(job.config, site.catalog)
        judge = evaluator(job, builder, predictor.kit, split, decode=decode, device=predictor.device)
        scores = judge(predictor.model, predictor.steps)
        for name, texts in _baselines(job, builder, predictor, judge, site).items():
            scores += judge.baseline_scores(name, texts, predictor.steps)
        if (tag := job.config.evaluate.by) is not None:
            scores += judge.scores_by(tag, predictor.steps)
        site.registry.add_scores(run.id, scores)
    return site.registry.run(run.id), scores, judge.predictions


def _baselines(
    job: Job, builder: Builder, predictor: Predictor, judge: Evaluator, site: Site
) -> dict[str, list[str]]:
    """What the job's baselines answer where a model is judged."""
    names, data = job.config.evaluate.baselines, job.config.data
    if not names:
        return {}
    bad = ignore if data.on_bad_example == "skip" else refuse
    watch = partial(site.watch, "reading for baselines")
    training = Examples(data.train, job.root, builder.slots(), watch=watch).located(bad)
    kit, device = predictor.kit, predictor.device.device
    reader = FeatureReader(kit.modalities, None, from_files=kit.from_files)
    task = builder.task(kit.tokenizers)
    others = {
        name: task.baseline(name) if (tag := tag_of(name)) is None else Frequent(tag)
        for name in names
        if name not in RESERVED_BASELINES
    }
    return baseline_answers(names, judge.dataset, training, reader, others=others, bad=bad, device=device)


def decode_job(
    predictor: Predictor, site: Site, file: Path, inputs: Iterable[Located], how: Decoding
) -> Iterator[Prediction]:
    """Decodes a file's examples, recorded as a run."""
    data = [_data_file(file, "input")] if file.is_file() else []  # a pipe can be read once
    run = _start(
        site,
        "decode",
        predictor.job,
        predictor.device,
        data=data,
        model=_registered(predictor.uri),
    )
    with _recorded(site, run, partial(site.registry.end_run, run.id)):
        yield from decode_stream(inputs, how)


def journals(predictor: Predictor, site: Site, how: Decoding) -> Journals:
    """Keeps what is found in long inputs until the output is whole, under all that it depends on."""
    depends = {
        "model": predictor.sha256,
        "device": str(how.device.dtype),
        "options": how.options.model_dump(mode="json", exclude={"batch_size", "batch_elements"}),
        "flags": how.flags.model_dump(mode="json"),
        "versions": versions(site.catalog),
    }
    return Journals(site.runs / "unfinished", predictor.kit.slots, depends, site.say)


# Data --------------------------------------------------------------------------------------------------


def _data_files(job: Job, splits: Sequence[str]) -> list[DataFile]:
    """The files of some splits of a job."""
    return [
        _data_file(file, name) for name in splits for file in split_files(split_of(job, name), job.root)
    ]


def _data_file(file: Path, split: str) -> DataFile:
    return DataFile(path=str(file), sha256=file_sha256(file), split=split, bytes=file.stat().st_size)


def _hashes_of(data: Sequence[DataFile]) -> dict[str, str]:
    """The sha256 of each file by its path."""
    return {file.path: file.sha256 for file in data}


def _whole(job: Job) -> dict[str, Any]:
    """The job as JSON with its root made absolute: a run folder stands by itself."""
    config = job.config.model_dump(mode="json")
    config["data"]["root"] = str(job.root.absolute())
    return config


def _cost(trainer: Trainer) -> str:
    """What a training took of the machine, for people."""
    state, peak = trainer.state, peak_memory_bytes(trainer.device)
    wait = state.waited / state.seconds if state.seconds else 0.0
    return f"peak memory {peak / 2**20:,.0f} MiB; {wait:.1%} of the training was waiting for data"


# Records -----------------------------------------------------------------------------------------------


def _start(
    site: Site,
    kind: RunKind,
    job: Job,
    device: Device,
    *,
    data: Sequence[DataFile],
    folder: Path | None = None,
    model: str | None = None,
) -> Run:
    config = job.config
    return site.registry.start_run(
        id=new_run_id() if folder is None else folder.name,
        kind=kind,
        name=config.name,
        task=config.task.name,
        config=_whole(job),
        seed=config.train.seed,
        device=str(device.device),
        device_reason=device.reason,
        versions=versions(site.catalog),
        data=data,
        folder="" if folder is None else str(folder),
        model=model,
    )


@contextmanager
def _recorded(site: Site, run: Run, end: Callable[[RunStatus, str | None], Run]) -> Iterator[None]:
    """Tells who observes that a run begins, and enters in the registry how it ends, however it ends."""
    error: BaseException | None = None
    status: RunStatus = "finished"
    try:
        site.catalog.notify("seqloom_run_started", run=run)
        yield
    except (Interrupted, KeyboardInterrupt, GeneratorExit) as caught:
        error, status = caught, "interrupted"
        raise
    except BaseException as caught:
        error, status = caught, "failed"
        raise
    finally:
        text = None if error is None else f"{type(error).__name__}: {error}"
        ended = end(status, text)
        site.catalog.notify("seqloom_run_ended", run=ended, error=error)


class _RegistryListener:
    """Enters scores as they come, and tells the plugins that observe."""

    def __init__(self, site: Site, ledger: Ledger) -> None:
        self.site = site
        self.ledger = ledger

    def stepped(self, step: int) -> None:
        pass

    def logged(self, record: dict[str, Any]) -> None:
        pass

    def noticed(self, record: dict[str, Any]) -> None:
        pass

    def evaluated(self, step: int, scores: Sequence[Score]) -> None:
        self.ledger.add_scores(scores)
        self.site.catalog.notify("seqloom_evaluated", run=self.ledger.run, step=step, scores=scores)


def _registered(uri: str) -> str | None:
    return uri if uri.startswith("models:/") else None
