"""Seqloom as a contender: its own stepper on the job's first epoch, its own searches."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from material import open_job
from stopwatch import arguments, time_decoding, time_training

from seqloom.allocator import tuned
from seqloom.batch import Padded
from seqloom.catalog import Catalog
from seqloom.data.loader import Loader
from seqloom.device import Device, choose_device
from seqloom.jobfile import load_job
from seqloom.optim import learning_rate, make_optimizer
from seqloom.predictor import Predictor
from seqloom.step import MicroBatch, Stepper


def train(given: argparse.Namespace, told: dict[str, Any], device: Device) -> None:
    """Steps of the trainer, features collated within the time measured."""
    catalog = Catalog.from_environment()
    job = load_job(Path(told["job"]), catalog, told["overrides"])
    parts = open_job(job, catalog, given.folder / "tokenizers")
    config, plan = parts.config.train, parts.plan
    torch.manual_seed(config.seed)
    model = parts.builder.model(parts.kit)
    loader = Loader(parts.dataset, config.seed)
    stepper = Stepper(model, loader, make_optimizer(model, config, fused=False), config, device)

    def targets(ids: list[int]) -> int:
        target = parts.dataset.collate(ids, seed=0, epoch=0, augment=False).target
        assert target is not None
        return int(target.lengths.sum())

    def step(number: int) -> object:
        batch = MicroBatch(0, plan[number % len(plan)])
        return stepper([batch], number, learning_rate(number + 1, config))

    time_training(step, [targets(ids) for ids in plan], given.seconds)


def decode(given: argparse.Namespace, told: dict[str, Any], device: Device) -> None:
    """A head's prediction of a batch."""
    predictor = Predictor.load(
        Path(told["model"]), Catalog.from_environment(), device="cpu", dtype=given.dtype
    )
    model = predictor.model
    options = predictor.decode_config(beam=given.beam, max_length_factor=0, max_length_offset=told["limit"])

    @torch.inference_mode()
    def predict(sources: Sequence[list[int]]) -> list[list[int]]:
        lengths = torch.tensor([len(source) for source in sources])
        rows = [torch.tensor(source) for source in sources]
        padded = torch.nn.utils.rnn.pad_sequence(rows, True, told["pad"])
        with device.autocast():
            found = model.head.predict(model.encode({"source": Padded(padded, lengths)}), options)
        return [list(hypotheses[0].tokens) for hypotheses in found]

    time_decoding(predict, given, told["eos"])


def main() -> None:
    """Trains or decodes."""
    given = arguments()
    torch.set_num_threads(given.threads)
    device = tuned(choose_device("cpu", given.dtype), given.allocator)
    told = json.loads((given.folder / "about.json").read_text())
    (train if given.verb == "train" else decode)(given, told, device)


if __name__ == "__main__":
    main()
