"""Inputs to outputs: pieces, batches, search, and everything back in input order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

import torch

from seqloom.batch import Hypothesis
from seqloom.config import DecodeConfig
from seqloom.data.batching import ordered_batches
from seqloom.data.dataset import Dataset
from seqloom.data.manifest import Located
from seqloom.device import Device
from seqloom.modality import Modality
from seqloom.model import Seq2Seq
from seqloom.task import Prediction, Task

CHUNK_BATCHES = 50
"""Batches of inputs read ahead: enough to sort by length, little enough for a pipe and for memory."""


def decode_dataset(
    model: Seq2Seq, task: Task, dataset: Dataset, options: DecodeConfig, device: Device
) -> list[Prediction]:
    """Decodes a data set whose inputs need no cutting; predictions are in its order.

    Args:
        model: What decodes.
        task: Joins pieces.
        dataset: What to decode.
        options: How to search.
        device: Where to compute.
    """
    batches = ordered_batches(dataset.lengths, options.batch_size)
    return list(decode_batches(model, task, dataset, batches, options, device).values())


def decode_batches(
    model: Seq2Seq,
    task: Task,
    dataset: Dataset,
    batches: Iterable[Sequence[int]],
    options: DecodeConfig,
    device: Device,
) -> dict[int, Prediction]:
    """Like :func:`decode_dataset`, of some examples.

    Args:
        model: What decodes.
        task: Joins pieces.
        dataset: Where the examples are.
        batches: Examples to decode together, one batch after another.
        options: How to search.
        device: Where to compute.

    Returns:
        By position in the data set, in its order.
    """
    found = _search(model, task, dataset, batches, options, device)
    predictions = {}
    for id_ in sorted(found):
        example = dataset.examples[id_]
        predictions[id_] = Prediction(example, task.join([example.inputs], [found[id_]]))
    return predictions


def decode_stream(
    model: Seq2Seq,
    task: Task,
    modalities: Mapping[str, Modality],
    inputs: Iterable[Located],
    options: DecodeConfig,
    device: Device,
) -> Iterator[Prediction]:
    """Decodes inputs as they come, some batches at a time; predictions are in input order."""
    remaining = iter(inputs)
    while chunk := list(islice(remaining, CHUNK_BATCHES * options.batch_size)):
        pieces: list[Located] = []
        owners: list[int] = []
        for number, located in enumerate(chunk):
            for raw in task.pieces(located.example.inputs):
                pieces.append(located._replace(example=located.example._replace(inputs=raw)))
                owners.append(number)
        dataset = Dataset.load(pieces, modalities, None)
        batches = ordered_batches(dataset.lengths, options.batch_size)
        found = _search(model, task, dataset, batches, options, device)
        parts: list[list[int]] = [[] for _ in chunk]
        for id_, owner in enumerate(owners):
            parts[owner].append(id_)
        for located, ids in zip(chunk, parts, strict=True):
            raws = [dataset.examples[id_].inputs for id_ in ids]
            yield Prediction(located.example, task.join(raws, [found[id_] for id_ in ids]))


@torch.inference_mode()
def _search(
    model: Seq2Seq,
    task: Task,
    dataset: Dataset,
    batches: Iterable[Sequence[int]],
    options: DecodeConfig,
    device: Device,
) -> dict[int, list[Hypothesis]]:
    """What is found in each example, as the task keeps it; by position in the data set."""
    model.eval()
    found: dict[int, list[Hypothesis]] = {}
    for ids in batches:
        batch = dataset.collate(ids, seed=0, epoch=0, augment=False).to(device.device)
        with device.autocast():
            outputs = model.predict(batch, options)
        found.update(zip(ids, map(task.interpret, outputs), strict=True))
    return found
