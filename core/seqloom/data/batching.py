"""Which examples make a batch, and in which order? Pure functions of lengths, seed and epoch."""

from __future__ import annotations

import numpy as np
from numpy.random import PCG64, SeedSequence
from numpy.typing import NDArray

from seqloom.errors import DataError

POOL_BATCHES = 100
"""Batches whose examples are sorted together: enough for little padding, few enough for varied mixes."""


def epoch_batches(
    lengths: NDArray[np.int64], batch_elements: int, seed: int, epoch: int
) -> list[list[int]]:
    """The batches of one pass over the data, each a list of positions in it.

    Every example occurs once. Examples are shuffled, cut into pools, sorted by length within each pool,
    cut into batches, and these are shuffled. A run that stopped within an epoch goes on by a slice.

    Args:
        lengths: [N] positions of each example's longest slot.
        batch_elements: Positions of a batch at most: its examples times the longest of them.
        seed: Of the shuffles.
        epoch: The pass over the data that this is, from 0.

    Raises:
        DataError: An example alone is longer than ``batch_elements``.
    """
    _check_fit(lengths, batch_elements)
    bits = PCG64(SeedSequence([seed, epoch]))
    pools = max(1, round(int(lengths.sum()) / (batch_elements * POOL_BATCHES)))
    batches: list[list[int]] = []
    for pool in np.array_split(_shuffled(len(lengths), bits), pools):
        by_length = pool[np.argsort(lengths[pool], kind="stable")]  # equal lengths stay shuffled
        batches += _cut(by_length, lengths, batch_elements)
    return [batches[position] for position in _shuffled(len(batches), bits)]


def ordered_batches(lengths: NDArray[np.int64], batch_size: int) -> list[list[int]]:
    """Batches for evaluation and decoding: the longest examples first, ``batch_size`` at a time.

    Args:
        lengths: [N] positions of each example's longest slot.
        batch_size: Examples of a batch at most.
    """
    order = np.argsort(-lengths, kind="stable")
    return [order[start : start + batch_size].tolist() for start in range(0, len(order), batch_size)]


def _shuffled(count: int, bits: PCG64) -> NDArray[np.intp]:
    """A permutation made of raw bits: numpy promises those for all its versions, its shuffles not."""
    return np.argsort(bits.random_raw(count), kind="stable")


def _cut(order: NDArray[np.intp], lengths: NDArray[np.int64], batch_elements: int) -> list[list[int]]:
    """Cuts examples sorted by length, the longest last, where another would be one too many."""
    batches: list[list[int]] = []
    batch: list[int] = []
    for example, length in zip(order.tolist(), lengths[order].tolist(), strict=True):
        if batch and (len(batch) + 1) * length > batch_elements:
            batches.append(batch)
            batch = []
        batch.append(example)
    return [*batches, batch] if batch else batches


def _check_fit(lengths: NDArray[np.int64], batch_elements: int) -> None:
    longest = int(lengths.max(initial=0))
    if longest > batch_elements:
        raise DataError(
            f"example {int(lengths.argmax())} has {longest} positions, more than train.batch_elements "
            f"({batch_elements}): raise that to {longest}, or leave long examples out with data.max_length"
        )
