"""A training put together: what every process that takes part in it does alike."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import torch

import seqloom
from seqloom.allocator import tuned
from seqloom.batch import Batch
from seqloom.build import Builder, Kit
from seqloom.checkpoint import Checkpoints
from seqloom.config import DecodeConfig, SplitConfig
from seqloom.data.batching import ordered_batches
from seqloom.data.cache import SKIPPED, Cache, cache_folder
from seqloom.data.dataset import Dataset
from seqloom.data.loader import Loader
from seqloom.data.manifest import Located, read_examples
from seqloom.device import Device, choose_device
from seqloom.errors import ConfigError
from seqloom.evaluate import Evaluator
from seqloom.fixed import fixed_parts, kept_in_files, kept_in_memory, skip_fixed
from seqloom.jobfile import Job, job_from_dict
from seqloom.judging import Judging
from seqloom.model import Seq2Seq
from seqloom.optim import freeze
from seqloom.prepare import training_data, training_kit
from seqloom.progress import Listener, check_tensorboard
from seqloom.samples import FOLDER, Sampled
from seqloom.site import Site, read_run_config
from seqloom.trainer import Trainer
from seqloom.world import World

COMPILERS: Final = ("c++", "g++", "clang++")

TOGETHER: Final = 32
"""Examples that front ends learn from at a time, before the first step."""


class Prepared(NamedTuple):
    """What a training needs before there is a model.

    Attributes:
        job: What the run was started with.
        device: Where this process computes.
        builder: Of the job's parts.
        kit: The parts that know the data.
        dataset: Examples to learn from.
    """

    job: Job
    device: Device
    builder: Builder
    kit: Kit
    dataset: Dataset


def ready_training(
    folder: Path, site: Site, listen: Callable[[Trainer], Sequence[Listener]] = lambda _: ()
) -> tuple[Prepared, Trainer]:
    """A training that is ready to begin, or to go on, from its run's folder; all its ranks call this.

    Args:
        folder: The run's; what rank 0 prepares in it, the others find there.
        site: Where to train.
        listen: Gives who listens to a trainer that stands where it goes on from.
    """
    world = site.world
    prepared = world.in_turn(partial(_prepare, folder, site))
    trainer = world.each(partial(_trainer, prepared, folder, site))
    if world.first(lambda: bool(trainer.checkpoints.steps())):
        trainer.resume()
    trainer.listeners = world.each(lambda: listen(trainer))
    return prepared, trainer


def training_device(job: Job, world: World) -> Device:
    """Where this process is to train; refuses what this machine does not have."""
    if job.config.train.tensorboard:
        check_tensorboard()
    number = world.local_rank if world.size > 1 else None
    device = tuned(choose_device(job.config.device, job.config.dtype, number), job.config.allocator)
    if world.size == 1:
        return device
    if device.is_gpu:
        torch.cuda.set_device(device.device)
    return device._replace(reason=f"{device.reason}; {world.size} ranks")


def _prepare(folder: Path, site: Site) -> Prepared:
    with site.at_once():
        saved = read_run_config(folder)
        job = job_from_dict(saved["job"], site.catalog, folder)
        device = training_device(job, site.world)
        builder = Builder(job.config, site.catalog)
        watch = partial(site.watch, "reading for tokenizers")
        kit = training_kit(job, builder, folder / "tokenizers", watch)
        cache = Cache(cache_folder(site.runs), site.say, partial(site.watch, "preparing"))
        skipped = folder / SKIPPED
        dataset = training_data(
            job, builder, kit, saved["data"], cache, skipped if site.world.is_first else None
        )
        if dataset.skipped:
            site.say(f"skipped, as they cannot be used: {dataset.skipped:,}; see {skipped}")
        if dataset.left_out:
            site.say(f"{dataset.left_out} examples are longer than data.max_length and left out")
        return Prepared(job, device, builder, kit, dataset)


def _trainer(prepared: Prepared, folder: Path, site: Site) -> Trainer:
    """A trainer that stands at the beginning."""
    job, device, builder, kit, dataset = prepared
    config = job.config
    with site.at_once():
        torch.manual_seed(config.train.seed)
        model = builder.model(kit)
        checkpoints = Checkpoints(folder / "checkpoints", site.say)
        if site.world.is_first:
            checkpoints.recover()
            if not checkpoints.steps():
                model.load_pretrained()  # the other ranks get these weights as their training begins
                model.fit(partial(_unvaried, dataset, job.config.train.batch_elements, site))
        model.to(device.device)
        frozen = freeze(model, config.train.parameters)
        if config.train.compile:
            _compile(model)
        parameters = f"{_count(model):,} parameters" + (f", {frozen:,} of them frozen" if frozen else "")
        site.say(f"{len(dataset):,} examples, {parameters}")
        decode = config.decode.model_copy(update={"beam": config.evaluate.beam, "n_best": 1})
        model.head.check(decode)
        judge = evaluator(job, builder, kit, "valid", decode=decode, device=device)
        judge.stop, judge.world = site.stop, site.world
        parts = fixed_parts(model, kit.modalities) if site.world.size == 1 else {}
        if parts:
            if checkpoints.steps():
                model.load_weights(checkpoints.weights(checkpoints.newest()))
            site.say(f"computing, once, what layers that never learn make of {', '.join(parts)}")
            dataset = kept_in_files(dataset, parts, device, cache_folder(site.runs))
            judge.dataset = kept_in_memory(judge.dataset, parts, device)
            skip_fixed(parts)
        workers = config.data.workers if site.workers is None else site.workers
        if workers:
            site.say(f"data workers that make batches ahead: {workers}")
        return Trainer(
            model,
            Loader(dataset, config.train.seed, workers),
            Judging(
                sampled(judge, builder, kit, folder, site.say, compiled=config.train.compile),
                builder.goal(),
                config.evaluate.every,
                config.evaluate.patience,
            ),
            config.train,
            device=device,
            checkpoints=checkpoints,
            stop=site.stop,
            world=site.world,
        )


def evaluator(
    job: Job, builder: Builder, kit: Kit, split: str, *, decode: DecodeConfig, device: Device
) -> Evaluator:
    """What judges a model on a split of a job.

    Args:
        job: Names the files.
        builder: Of its parts.
        kit: Reads them.
        split: valid or test.
        decode: How to search.
        device: Where to compute.
    """
    signatures = [kit.target_signature, f"version:{seqloom.__version__}"]
    return Evaluator(
        Dataset.load(_examples(job, builder, split), kit.modalities, kit.task.read_target),
        kit.task,
        builder.metrics(),
        decode=decode,
        device=device,
        split=split,
        target_signature="|".join(filter(None, signatures)),
    )


def sampled(
    judge: Evaluator,
    builder: Builder,
    kit: Kit,
    folder: Path,
    say: Callable[[str], None],
    *,
    compiled: bool = False,
) -> Sampled:
    """The judge, who then leaves samples in a run's folder; see :class:`seqloom.samples.Sampled`."""
    tokenizers = {slot: kit.tokenizers[name] for slot, name in builder.token_slots().items()}
    return Sampled(judge, tokenizers, kit.slots, folder / FOLDER, say, compiled=compiled)


def split_of(job: Job, name: str) -> SplitConfig:
    """A split of a job's data.

    Raises:
        ConfigError: The job has none of that name.
    """
    split: SplitConfig | None = getattr(job.config.data, name)
    if split is None:
        raise ConfigError(f"the job has no data.{name}; name its files there, or take another split")
    return split


def _examples(job: Job, builder: Builder, split: str) -> list[Located]:
    return list(read_examples(split_of(job, split), job.root, builder.slots()))


def _unvaried(dataset: Dataset, batch_elements: int, site: Site) -> Iterator[Batch]:
    site.say("going through the training data once, for what front ends take from it")
    for ids in ordered_batches(dataset.lengths, TOGETHER, batch_elements):
        yield dataset.collate(ids, seed=0, epoch=0, augment=False)


def _compile(model: Seq2Seq) -> None:
    if not any(map(shutil.which, COMPILERS)):
        raise ConfigError(
            f"train.compile: true needs a C++ compiler, and none of {', '.join(COMPILERS)} is on the PATH; "
            "install one, or take the key out"
        )
    model.compile(dynamic=True)  # batches differ in size: kernels for each would take for ever


def _count(model: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())
