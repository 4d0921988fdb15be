"""Examples to outputs: batches, search, and what a task makes of that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from seqloom.batch import Hypothesis
from seqloom.config import DecodeConfig
from seqloom.data.batching import ordered_batches
from seqloom.data.dataset import Dataset
from seqloom.device import Device
from seqloom.model import Seq2Seq
from seqloom.task import Prediction, Task


class Found(NamedTuple):
    """What was found in an example.

    Attributes:
        id: Its position in the data set.
        hypotheses: As the task keeps them, best first.
    """

    id: int
    hypotheses: list[Hypothesis]


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
    batches = ordered_batches(dataset.lengths, options.batch_size, options.batch_elements)
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
    found = dict(search(model, task, dataset, batches, options, device))
    predictions = {}
    for id_ in sorted(found):
        example = dataset.examples[id_]
        best = task.join([example.inputs], [found[id_]], dataset.modalities)
        predictions[id_] = Prediction(example, best)
    return predictions


def search(
    model: Seq2Seq,
    task: Task,
    dataset: Dataset,
    batches: Iterable[Sequence[int]],
    options: DecodeConfig,
    device: Device,
) -> Iterator[Found]:
    """What is found in each example, batch by batch; see :func:`decode_batches`."""
    model.eval()
    for ids in batches:
        batch = dataset.collate(ids, seed=0, epoch=0, augment=False).to(device.device)
        with device.autocast():
            outputs = model.predict(batch, options)
        yield from map(Found, ids, map(task.interpret, outputs))
