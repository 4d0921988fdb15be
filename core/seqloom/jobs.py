"""What Seqloom does, from top to bottom: train, resume, evaluate, decode."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from seqloom.allocator import peak_memory_bytes
from seqloom.baselines import Frequent, baseline_answers
from seqloom.build import Builder
from seqloom.config import DecodeConfig
from seqloom.data.features import FeatureReader
from seqloom.data.manifest import Examples, Located
from seqloom.data.skipping import ignore, refuse
from seqloom.datafiles import data_files, hashes_of, input_file
from seqloom.device import Device
from seqloom.errors import DataError, StorageError, UsageError
from seqloom.evaluate import Evaluator
from seqloom.export import export_model
from seqloom.jobfile import Job, job_from_dict
from seqloom.journal import Journals
from seqloom.ledger import Ledger, known_run
from seqloom.plugincheck import RESERVED_BASELINES, tag_of
from seqloom.predictions import FILE, Write, keep_all, kept, no_files
from seqloom.predictor import Predictor
from seqloom.progress import Listener, MetricsLog, tensorboard_log
from seqloom.recording import (
    RunListener,
    end_told,
    leave_checkpoints,
    leave_files,
    open_folder,
    recorded,
    start,
)
from seqloom.registry.lookup import RUN_SCHEME, SCHEME
from seqloom.registry.records import Model, Run, Score
from seqloom.site import Site, alone, read_run_config, versions
from seqloom.stream import Decoding, decode_stream
from seqloom.task import Prediction
from seqloom.trainer import Trainer
from seqloom.training import evaluator, ready_training, sampled, training_device


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
    data = data_files(job, ("train", "valid"))
    folder = open_folder(site, job, data)
    with alone(folder):
        run = start(site, "train", job, device, folder=folder, data=data)
        return _train(site, run, device, "started")


def resume_job(run_folder: Path, site: Site) -> Trained:
    """Goes on with a training from its newest checkpoint.

    One that came to its end while the registry was away is entered there, and that is all. Of several
    ranks, the first calls this.

    Raises:
        StorageError: The folder is no run's.
        DataError: The data is not what the run began with.
        UsageError: The run is no training, or has come to its end already.
        ConfigError: The registry does not know the run.
    """
    saved = read_run_config(run_folder)
    with alone(run_folder):
        known = known_run(site.registry, run_folder.name)
        if known.kind != "train":
            raise UsageError(f"run {known.id} is no training ({known.kind}): it is begun anew, not resumed")
        if Ledger(site.registry, known, site.say).replay():
            known = site.registry.run(known.id)
            if known.status == "finished" and known.model is not None:
                model = site.registry.model(known.model)
                return Trained(known, model, model.scores)
        job = job_from_dict(saved["job"], site.catalog, run_folder)
        for name, digest in hashes_of(data_files(job, ("train", "valid"))).items():
            if saved["data"].get(name) != digest:
                raise DataError("this file has changed since the run began; start a new run", name)
        device = training_device(job, site.world)
        if known.status == "finished":
            raise UsageError(f"run {known.id} has finished; there is nothing left of it to resume")
        return _train(site, site.registry.reopen_run(known.id), device, "resumed")


def follow_job(site: Site) -> None:
    """Takes part in the training that rank 0 runs, which alone writes and speaks."""
    with torch.random.fork_rng(), site.world.together() as folder:
        if folder:
            ready_training(Path(folder), site)[1].fit()


def _train(site: Site, run: Run, device: Device, begun: str) -> Trained:
    folder = Path(run.folder)
    ledger = Ledger(site.registry, run, site.say)
    with (
        recorded(site, run, ledger.end),
        end_told(ledger),
        torch.random.fork_rng(),
        ExitStack() as logs,
    ):
        site.say(f"run {run.id} on {device.reason}")

        def listen(trainer: Trainer) -> list[Listener]:
            # A process may have died between a checkpoint and the registry; a score entered twice is one.
            ledger.add_scores([score for group in trainer.state.scores.values() for score in group])
            step = trainer.state.step
            ledger.add_event(begun, {"step": step, "host": platform.node(), "device": device.reason})
            events = tensorboard_log(folder / "tensorboard", step, wanted=trainer.train.tensorboard)
            return [
                *logs.enter_context(events),
                MetricsLog(folder / "metrics.jsonl", step),
                RunListener(site, ledger, trainer),
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
        leave_checkpoints(ledger, map(trainer.checkpoints.path, outcome.averaged))
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
    predictor: Predictor,
    site: Site,
    split: str,
    decode: DecodeConfig,
    job: Job | None = None,
    write: Write = no_files,
) -> tuple[Run, list[Score], list[Prediction]]:
    """Scores a model on ``data.valid`` or ``data.test`` of its job or another, and what else that asks for.

    These are the job's baselines, and the scores of each group of examples. The run's folder gets all
    predictions, and samples of them.

    Args:
        predictor: The model.
        site: Where to run.
        split: valid or test.
        decode: How to search.
        job: Whose data to take; None for the model's own.
        write: Writes the predictions for the user, and gives the files.
    """
    site.registry.prepare()
    code, job = Path.cwd() if job is None else job.path.absolute().parent, job or predictor.job
    data = data_files(job, (split, "train") if job.config.evaluate.baselines else (split,))
    used = _registered(predictor.uri)
    run = start(site, "evaluate", job, predictor.device, data=data, model=used, code=code)
    folder = Path(run.folder)
    with alone(folder), recorded(site, run, partial(site.registry.end_run, run.id)):
        builder, kit = Builder(job.config, site.catalog), predictor.kit
        judge = evaluator(job, builder, kit, split, decode=decode, device=predictor.device)
        scores = sampled(judge, builder, kit, folder, site.say)(predictor.model, predictor.steps)
        for name, texts in _baselines(job, builder, predictor, judge, site).items():
            scores += judge.baseline_scores(name, texts, predictor.steps)
        if (tag := job.config.evaluate.by) is not None:
            scores += judge.scores_by(tag, predictor.steps)
        site.registry.add_scores(run.id, scores)
        leave_files(site, run, keep_all(judge.predictions, kit.task, folder))
        leave_files(site, run, write(judge.predictions))
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
    predictor: Predictor,
    site: Site,
    file: Path,
    inputs: Iterable[Located],
    how: Decoding,
    write: Write,
    *,
    keep: bool,
) -> Run:
    """Decodes a file's examples, recorded as a run.

    Args:
        predictor: The model.
        site: Where to run.
        file: Where the inputs are named.
        inputs: The inputs.
        how: How to decode them.
        write: Writes the predictions as they come, and gives the files.
        keep: Whether the run's folder is to have them, as ``write`` leaves no file.
    """
    site.registry.prepare()
    job, used, data = predictor.job, _registered(predictor.uri), input_file(file)
    run = start(site, "decode", job, predictor.device, data=data, model=used, code=Path.cwd())
    with alone(Path(run.folder)), recorded(site, run, partial(site.registry.end_run, run.id)):
        predictions = decode_stream(inputs, how)
        if keep:
            own = Path(run.folder) / FILE
            leave_files(site, run, [*write(kept(predictions, predictor.kit.task, own)), own])
        else:
            leave_files(site, run, write(predictions))
    return site.registry.run(run.id)


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


def _cost(trainer: Trainer) -> str:
    """What a training took of the machine, for people."""
    state, peak = trainer.state, peak_memory_bytes(trainer.device)
    wait = state.waited / state.seconds if state.seconds else 0.0
    return f"peak memory {peak / 2**20:,.0f} MiB; {wait:.1%} of the training was waiting for data"


def _registered(uri: str) -> str | None:
    return uri if uri.startswith((SCHEME, RUN_SCHEME)) else None
