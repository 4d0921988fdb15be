"""What Seqloom does, from top to bottom: train, resume, evaluate, decode."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

import seqloom
from seqloom.allocator import peak_memory_bytes, tuned
from seqloom.build import Builder, Kit
from seqloom.checkpoint import Checkpoints, storage_errors, write_json
from seqloom.config import DecodeConfig, SplitConfig
from seqloom.data.cache import SKIPPED, Cache, cache_folder
from seqloom.data.dataset import Dataset
from seqloom.data.manifest import Located, file_sha256, read_examples
from seqloom.data.splits import split_files
from seqloom.device import Device, choose_device
from seqloom.errors import (
    ConfigError,
    DataError,
    Interrupted,
    StorageError,
    UsageError,
)
from seqloom.evaluate import Evaluator
from seqloom.export import export_model
from seqloom.jobfile import Job, job_from_dict
from seqloom.ledger import Ledger
from seqloom.optim import freeze
from seqloom.predictor import Predictor
from seqloom.prepare import training_data, training_kit
from seqloom.progress import MetricsLog, check_tensorboard, tensorboard_log
from seqloom.registry.records import Model, Run, RunKind, RunStatus, Score
from seqloom.registry.store import new_run_id
from seqloom.site import Site, alone, read_run_config, versions
from seqloom.task import Prediction
from seqloom.trainer import Judging, Trainer


@dataclass(frozen=True)
class Trained:
    """What a training leaves."""

    run: Run
    model: Model
    scores: Sequence[Score]


def train_job(job: Job, site: Site) -> Trained:
    """Trains a model, evaluates it and registers it."""
    site.registry.prepare()
    device = _ready(job)
    hashes = _data_hashes(job, ("train", "valid"))
    folder = site.runs / new_run_id()
    with storage_errors(folder, "make"):
        folder.mkdir(parents=True)
        write_json(folder / "config.json", {"job": _whole(job), "data": hashes})
    job = job_from_dict(_whole(job), site.catalog, folder)  # from here on as a resumed run has it
    with alone(folder):
        run = _start(site, "train", job, device, folder=folder, data=hashes)
        return _train(job, site, run, device)


def resume_job(run_folder: Path, site: Site) -> Trained:
    """Goes on with a training from its newest checkpoint.

    One that came to its end while the registry was away is entered there, and that is all.

    Raises:
        StorageError: The folder is no run's.
        DataError: The data is not what the run began with.
        UsageError: The run has come to its end already.
    """
    saved = read_run_config(run_folder)
    with alone(run_folder):
        known = site.registry.run(run_folder.name)
        if Ledger(site.registry, known, site.say).replay():
            known = site.registry.run(known.id)
            if known.status == "finished" and known.model is not None:
                model = site.registry.model(known.model)
                return Trained(known, model, model.scores)
        job = job_from_dict(saved["job"], site.catalog, run_folder)
        for name, digest in _data_hashes(job, ("train", "valid")).items():
            if saved["data"].get(name) != digest:
                raise DataError("this file has changed since the run began; start a new run", name)
        device = _ready(job)
        if known.status == "finished":
            raise UsageError(f"run {known.id} has finished; there is nothing left of it to resume")
        return _train(job, site, site.registry.reopen_run(known.id), device)


def _train(job: Job, site: Site, run: Run, device: Device) -> Trained:
    config, folder = job.config, Path(run.folder)
    ledger = Ledger(site.registry, run, site.say)
    with _recorded(site, run, ledger.end), torch.random.fork_rng():
        site.say(f"run {run.id} on {device.reason}")
        builder = Builder(config, site.catalog)
        with site.at_once():
            kit, trainer = _trainer(job, builder, site, ledger, device)
        wanted = config.train.tensorboard
        with tensorboard_log(folder / "tensorboard", trainer.state.step, wanted=wanted) as logs:
            trainer.listeners = [*logs, *trainer.listeners]
            outcome = trainer.fit()
        site.say(_cost(trainer))
        model_folder = folder / "model"
        digest = export_model(model_folder, builder, trainer.model, kit.tokenizers, outcome, run.versions)
        ledger.add_model(model_folder, digest, outcome.scores)
    if ledger.trouble is not None:
        raise type(ledger.trouble)(
            f"the model in {model_folder} is whole, but the registry does not know of it: "
            f"{ledger.trouble}; `seqloom resume {run.id}` will enter it"
        )
    model = ledger.model()
    if model is None:
        raise StorageError(f"the registry has lost the model of run {run.id}; its folder is {model_folder}")
    return Trained(site.registry.run(run.id), model, outcome.scores)


def _trainer(job: Job, builder: Builder, site: Site, ledger: Ledger, device: Device) -> tuple[Kit, Trainer]:
    """All that a training needs, at the step where an earlier one of this run left off."""
    config, run = job.config, ledger.run
    folder = Path(run.folder)
    kit = training_kit(job, builder, folder / "tokenizers", partial(site.watch, "reading for tokenizers"))
    cache = Cache(cache_folder(site.runs), site.say)
    dataset = training_data(job, builder, kit, run, cache, partial(site.watch, "preparing"))
    if dataset.skipped:
        site.say(f"skipped, as they cannot be used: {dataset.skipped:,}; see {folder / SKIPPED}")
    if dataset.left_out:
        site.say(f"{dataset.left_out} examples are longer than data.max_length and left out")
    torch.manual_seed(config.train.seed)
    model = builder.model(kit).to(device.device)
    frozen = freeze(model, config.train.parameters)
    parameters = f"{_count(model):,} parameters" + (f", {frozen:,} of them frozen" if frozen else "")
    site.say(f"{len(dataset):,} examples, {parameters}")
    decode = config.decode.model_copy(update={"beam": config.evaluate.beam, "n_best": 1})
    judge = _evaluator(job, builder, kit, "valid", decode=decode, device=device, stop=site.stop)
    checkpoints = Checkpoints(folder / "checkpoints", site.say)
    checkpoints.recover()
    trainer = Trainer(
        model,
        dataset,
        Judging(judge, builder.goal(), config.evaluate.every, config.evaluate.patience),
        config.train,
        device=device,
        checkpoints=checkpoints,
        stop=site.stop,
    )
    step = trainer.resume() if checkpoints.steps() else 0
    # A process may have died between a checkpoint and the registry; a score entered twice is there once.
    ledger.add_scores([score for group in trainer.state.scores.values() for score in group])
    trainer.listeners = [
        MetricsLog(folder / "metrics.jsonl", step),
        _RegistryListener(site, ledger),
        *site.listeners,
    ]
    return kit, trainer


def evaluate_job(
    predictor: Predictor, site: Site, split: str, decode: DecodeConfig, job: Job | None = None
) -> tuple[Run, list[Score], list[Prediction]]:
    """Scores a model on ``data.valid`` or ``data.test`` of its own job, or of another."""
    job = job or predictor.job
    hashes = _data_hashes(job, (split,))
    run = _start(site, "evaluate", job, predictor.device, data=hashes, model=_registered(predictor.uri))
    with _recorded(site, run, partial(site.registry.end_run, run.id)):
        builder = Builder(job.config, site.catalog)
        judge = _evaluator(job, builder, predictor.kit, split, decode=decode, device=predictor.device)
        scores = judge(predictor.model, predictor.steps)
        site.registry.add_scores(run.id, scores)
    return site.registry.run(run.id), scores, judge.predictions


def decode_job(
    predictor: Predictor, site: Site, file: Path, inputs: Iterable[Located], decode: DecodeConfig
) -> Iterator[Prediction]:
    """Decodes a file's examples, recorded as a run."""
    hashes = {str(file): file_sha256(file)} if file.is_file() else {}  # a pipe can be read once
    run = _start(
        site,
        "decode",
        predictor.job,
        predictor.device,
        data=hashes,
        model=_registered(predictor.uri),
    )
    with _recorded(site, run, partial(site.registry.end_run, run.id)):
        yield from predictor.decode_located(inputs, decode)


def _ready(job: Job) -> Device:
    """Where to train; refuses what this machine does not have before a run begins."""
    if job.config.train.tensorboard:
        check_tensorboard()
    return tuned(choose_device(job.config.device, job.config.dtype), job.config.allocator)


# Data --------------------------------------------------------------------------------------------------


def _split(job: Job, name: str) -> SplitConfig:
    split: SplitConfig | None = getattr(job.config.data, name)
    if split is None:
        raise ConfigError(f"the job has no data.{name}; name its files there, or take another split")
    return split


def _examples(job: Job, builder: Builder, split: SplitConfig) -> list[Located]:
    return list(read_examples(split, job.root, builder.slots()))


def _evaluator(
    job: Job,
    builder: Builder,
    kit: Kit,
    split: str,
    *,
    decode: DecodeConfig,
    device: Device,
    stop: Callable[[], int | None] = lambda: None,
) -> Evaluator:
    examples = _examples(job, builder, _split(job, split))
    signatures = [kit.target_signature, f"version:{seqloom.__version__}"]
    return Evaluator(
        Dataset.load(examples, kit.modalities, kit.task.read_target),
        kit.task,
        builder.metrics(),
        decode=decode,
        device=device,
        split=split,
        target_signature="|".join(filter(None, signatures)),
        stop=stop,
    )


def _data_hashes(job: Job, splits: Sequence[str]) -> dict[str, str]:
    files = [file for name in splits for file in split_files(_split(job, name), job.root)]
    return {str(file): file_sha256(file) for file in files}


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


def _count(model: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


# Records -----------------------------------------------------------------------------------------------


def _start(
    site: Site,
    kind: RunKind,
    job: Job,
    device: Device,
    *,
    data: Mapping[str, str],
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
