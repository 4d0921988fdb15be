"""Which examples make a batch, and in which order? Pure functions of lengths, seed and epoch."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, final, overload

import numpy as np
from numpy.random import PCG64, SeedSequence
from numpy.typing import NDArray

from seqloom.errors import DataError

POOL_BATCHES = 100
"""Batches whose examples are sorted together: enough for little padding, few enough for varied mixes."""


class Weighed(NamedTuple):
    """Examples beside each other that occur equally often.

    Attributes:
        first: The first of them; they end where the next ones begin.
        weight: How often each occurs in a pass; a fraction of it is the share that occurs once more.
    """

    first: int
    weight: float


@final
class Plan(Sequence[list[int]]):
    """Batches of one pass over the data, each a list of positions in it, kept as arrays.

    Args:
        order: [N] the examples, those of a batch beside each other.
        starts: [M] where each batch begins in ``order``.
        ends: [M] where it ends.
    """

    def __init__(self, order: NDArray[Any], starts: NDArray[np.intp], ends: NDArray[np.intp]) -> None:
        self._order = order
        self._starts = starts
        self._ends = ends

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, position: int) -> list[int]: ...
    @overload
    def __getitem__(self, position: slice) -> Plan: ...
    def __getitem__(self, position: int | slice) -> list[int] | Plan:
        if isinstance(position, slice):
            return Plan(self._order, self._starts[position], self._ends[position])
        batch: list[int] = self._order[self._starts[position] : self._ends[position]].tolist()
        return batch


def epoch_batches(
    lengths: NDArray[np.int64],
    batch_elements: int,
    seed: int,
    epoch: int,
    *,
    place: Callable[[int], str] = "example {}".format,
    weights: Sequence[Weighed] = (),
    siblings: NDArray[np.int64] | None = None,
) -> Plan:
    """The batches of one pass over the data.

    Every example occurs once, or as often as its weight says. All are shuffled, cut into pools, sorted by
    length within each pool, cut into batches, and these are shuffled. A run that stopped within an epoch
    goes on by a slice. Siblings share a place in all of this, that of their longest: so most of them come
    to lie in one batch, where what they share is encoded once.

    Args:
        lengths: [N] positions of each example's longest slot.
        batch_elements: Positions of a batch at most: its examples times the longest of them.
        seed: Of the shuffles.
        epoch: The pass over the data that this is, from 0.
        place: Says where an example is.
        weights: How often examples occur, the first of them first; none where each occurs once.
        siblings: [N] for each example the first of those that share its inputs; None where none do.

    Raises:
        DataError: An example alone is longer than ``batch_elements``; or no pass has an example.
    """
    _check_fit(lengths, batch_elements, place)
    bits = PCG64(SeedSequence([seed, epoch]))
    ids = occurrences(len(lengths), weights, seed, epoch)
    ids = ids.astype(np.int32 if len(lengths) < 2**31 else np.int64)
    if siblings is None:
        order = ids[_shuffled(len(ids), bits)]
    else:
        ranks = bits.random_raw(len(lengths))[siblings]  # one draw for all of a kind
        order = ids[np.argsort(ranks[ids], kind="stable")]
        lengths = _longest(lengths, siblings)
    pools = max(1, round(int(lengths[order].sum()) / (batch_elements * POOL_BATCHES)))
    ends: list[int] = []
    first = 0
    for pool in np.array_split(order, pools):
        pool[:] = pool[np.argsort(lengths[pool], kind="stable")]  # equal lengths stay shuffled
        ends += [first + end for end in _cuts(lengths[pool].tolist(), batch_elements)]
        first += len(pool)
    bounds = np.array([0, *ends])
    shuffled = _shuffled(len(ends), bits)
    return Plan(order, bounds[:-1][shuffled], bounds[1:][shuffled])


def _longest(lengths: NDArray[np.int64], siblings: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each example the length of the longest of its siblings."""
    longest = np.zeros_like(lengths)
    np.maximum.at(longest, siblings, lengths)
    return longest[siblings]


def ordered_batches(lengths: NDArray[np.int64], batch_size: int, batch_elements: int) -> list[list[int]]:
    """Batches for evaluation and decoding, the longest examples first.

    Args:
        lengths: [N] positions of each example's longest slot.
        batch_size: Examples of a batch at most.
        batch_elements: Positions of a batch at most: its examples times the longest of them. A longer
            example is a batch of its own.
    """
    order = np.argsort(-lengths, kind="stable")
    batches, start = [], 0
    while start < len(order):
        fitting = batch_elements // max(1, int(lengths[order[start]]))
        batches.append(order[start : start + min(batch_size, max(1, fitting))].tolist())
        start += len(batches[-1])
    return batches


def occurrences(count: int, weights: Sequence[Weighed], seed: int, epoch: int) -> NDArray[np.int64]:
    """The examples of a pass, each as often as it occurs in it, in no order worth keeping.

    Which of a group occur once more is drawn anew for each pass. How many do is their expected number, a
    fraction of one carried from group to group (systematic sampling): so a pass differs from the mean
    by less than one example.

    Args:
        count: N, how many examples there are.
        weights: How often they occur, the first of them first.
        seed: Of the draw.
        epoch: The pass over the data that this is.

    Raises:
        DataError: The weights leave less than one example a pass.
    """
    if all(group.weight == 1 for group in weights):
        return np.arange(count)
    bits = PCG64(SeedSequence([seed, epoch, 1]))  # another stream than that of the order
    carried = int(bits.random_raw()) / 2**64
    ends = [group.first for group in weights[1:]] + [count]
    found, expected = [], 0.0
    for group, end in zip(weights, ends, strict=True):
        ids, whole = np.arange(group.first, end), math.floor(group.weight)
        expected += group.weight * len(ids)
        carried += (group.weight - whole) * len(ids)
        more = math.floor(carried)
        carried -= more
        found += [ids] * whole
        if more:
            found.append(ids[_shuffled(len(ids), bits)[:more]])
    if expected < 1:
        raise DataError("the weights of data.train leave less than one example a pass; raise them")
    return np.concatenate(found)


def _shuffled(count: int, bits: PCG64) -> NDArray[np.intp]:
    """A permutation made of raw bits: numpy promises those for all its versions, its shuffles not."""
    return np.argsort(bits.random_raw(count), kind="stable")


def _cuts(lengths: list[int], batch_elements: int) -> Iterator[int]:
    """Where the batches of examples sorted by length end: where another would be one too many."""
    start = 0

    def positions(last: int) -> int:
        """Of the batch up to and with ``last``, padding counted; it can only grow with it."""
        return (last - start + 1) * lengths[last]

    while start < len(lengths):
        start += 1 + bisect_right(range(start + 1, len(lengths)), batch_elements, key=positions)
        yield start


def _check_fit(lengths: NDArray[np.int64], batch_elements: int, place: Callable[[int], str]) -> None:
    longest = int(lengths.max(initial=0))
    if longest > batch_elements:
        raise DataError(
            f"{place(int(lengths.argmax()))} has {longest} positions, more than train.batch_elements "
            f"({batch_elements}): raise that to {longest}, or leave long examples out with data.max_length"
        )
