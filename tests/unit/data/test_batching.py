"""Batches: everything once, within the limit, with little padding, and as pure functions."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.data.batching import Weighed, epoch_batches, occurrences, ordered_batches
from seqloom.errors import DataError

REALISTIC = np.random.default_rng(1).lognormal(2.7, 0.6, 20_000).astype(np.int64).clip(2, 200)


@settings(max_examples=200, deadline=None, database=None)
@given(
    lengths=st.lists(st.integers(1, 50), max_size=300),
    limit=st.integers(50, 400),
    seed=st.integers(0, 2**64),
    epoch=st.integers(0, 100),
)
def test_every_example_once_and_within_the_limit(lengths, limit, seed, epoch):
    lengths = np.array(lengths, dtype=np.int64)
    batches = epoch_batches(lengths, limit, seed, epoch)
    assert sorted(chain(*batches)) == list(range(len(lengths)))
    assert all(len(batch) * lengths[batch].max() <= limit for batch in batches)
    assert list(batches) == list(epoch_batches(lengths, limit, seed, epoch))


@settings(max_examples=200, deadline=None, database=None)
@given(
    kinds=st.lists(st.lists(st.integers(1, 20), min_size=1, max_size=6), min_size=1, max_size=60),
    limit=st.integers(120, 400),
    seed=st.integers(0, 2**64),
)
def test_siblings_lie_beside_each_other(kinds, limit, seed):
    lengths = np.array(list(chain(*kinds)))
    firsts = np.cumsum([0, *map(len, kinds)])[:-1]
    siblings = np.repeat(firsts, [len(kind) for kind in kinds])
    batches = list(epoch_batches(lengths, limit, seed, 0, siblings=siblings))
    assert sorted(chain(*batches)) == list(range(len(lengths)))
    assert all(len(batch) * lengths[batch].max() <= limit for batch in batches)
    for batch in batches:
        changes = np.count_nonzero(np.diff(siblings[batch]))
        assert changes == len(set(siblings[batch])) - 1
    if len(batches) == 1:
        return
    homes = [
        len({number for number, batch in enumerate(batches) if first in siblings[batch]})
        for first in firsts
    ]
    assert sum(homes) - len(homes) < len(batches)  # at most one kind lies across each cut


def test_without_siblings_nothing_changes():
    alone = np.arange(len(REALISTIC))
    together = epoch_batches(REALISTIC, 2048, 1, 0, siblings=alone)
    assert list(together) == list(epoch_batches(REALISTIC, 2048, 1, 0))


def cut_one_by_one(order, lengths, limit):
    """Batches of examples in order, each as large as it may be: the plain way, to compare with."""
    batches = [[]]
    for example in order:
        if batches[-1] and (len(batches[-1]) + 1) * lengths[example] > limit:
            batches.append([])
        batches[-1].append(int(example))
    return batches


@settings(max_examples=200, deadline=None, database=None)
@given(lengths=st.lists(st.integers(0, 50), min_size=1, max_size=300), limit=st.integers(50, 400))
def test_batches_are_cut_where_one_more_would_be_too_many(lengths, limit):
    lengths = np.array(lengths, dtype=np.int64)
    order = np.argsort(
        np.random.PCG64(np.random.SeedSequence([5, 0])).random_raw(len(lengths)), kind="stable"
    )
    order = order[np.argsort(lengths[order], kind="stable")]  # a single pool
    assert sorted(epoch_batches(lengths, limit, 5, 0)) == sorted(cut_one_by_one(order, lengths, limit))


@settings(max_examples=200, deadline=None, database=None)
@given(
    groups=st.lists(st.tuples(st.integers(1, 30), st.floats(0.01, 5)), min_size=1, max_size=5),
    seed=st.integers(0, 2**64),
    epoch=st.integers(0, 100),
)
def test_examples_occur_as_their_weights_say(groups, seed, epoch):
    counts, weights = zip(*groups, strict=True)
    expected = sum(count * weight for count, weight in groups)
    firsts = [sum(counts[:number]) for number in range(len(counts))]
    weighed = [Weighed(*pair) for pair in zip(firsts, weights, strict=True)]
    if expected < 1:
        with pytest.raises(DataError, match="less than one example a pass"):
            occurrences(sum(counts), weighed, seed, epoch)
        return
    found = occurrences(sum(counts), weighed, seed, epoch)
    assert abs(len(found) - expected) < 1 + 1e-9
    occurring = np.bincount(found, minlength=sum(counts))
    for (count, weight), first in zip(groups, firsts, strict=True):
        group = occurring[first : first + count]
        assert set(group) <= {int(weight), int(weight) + 1}
        assert abs(group.sum() - count * weight) < 1 + 1e-9
    plan = epoch_batches(np.ones(sum(counts), dtype=np.int64), 7, seed, epoch, weights=weighed)
    assert sorted(chain(*plan)) == sorted(found)
    assert list(plan) == list(
        epoch_batches(np.ones(sum(counts), dtype=np.int64), 7, seed, epoch, weights=weighed)
    )


def test_each_pass_draws_its_own_share():
    passes = [occurrences(1000, [Weighed(0, 0.25)], 1, epoch).tolist() for epoch in range(40)]
    assert {len(found) for found in passes} == {250}
    counts = np.bincount(np.concatenate(passes), minlength=1000)
    assert counts.min() > 0
    assert counts.max() < 25
    assert occurrences(1000, [Weighed(0, 0.25)], 2, 0).tolist() != passes[0]


def test_weights_of_one_change_nothing():
    weighed = [Weighed(0, 1.0), Weighed(700, 1.0)]
    assert list(epoch_batches(REALISTIC, 2048, 1, 0, weights=weighed)) == list(
        epoch_batches(REALISTIC, 2048, 1, 0)
    )


def test_a_slice_of_a_plan_is_a_plan():
    plan = epoch_batches(REALISTIC, 2048, 1, 0)
    assert list(plan[3:9:2]) == [plan[3], plan[5], plan[7]]
    assert plan[-1] == list(plan)[len(plan) - 1]


@pytest.mark.parametrize("batch_elements", [512, 4096])
def test_little_padding_and_no_needless_batch(batch_elements):
    batches = epoch_batches(REALISTIC, batch_elements, seed=1, epoch=0)
    padded = sum(len(batch) * REALISTIC[batch].max() for batch in batches)
    assert padded / REALISTIC.sum() < 1.15
    assert len(batches) < 1.15 * REALISTIC.sum() / batch_elements


def test_seeds_and_epochs_differ_in_batches_and_their_order():
    first, other_epoch, other_seed = (
        list(epoch_batches(REALISTIC, 2048, *args)) for args in [(1, 0), (1, 1), (2, 0)]
    )
    assert first != other_epoch != other_seed != first
    assert {frozenset(batch) for batch in first}.isdisjoint(frozenset(batch) for batch in other_epoch[:50])
    longest = [REALISTIC[batch].max() for batch in first]
    assert longest != sorted(longest)


@pytest.mark.parametrize(("batch_elements", "pooled"), [(256, True), (4096, False)])
def test_only_large_data_is_cut_into_pools(batch_elements, pooled):
    kinds = [set(REALISTIC[batch]) for batch in epoch_batches(REALISTIC, batch_elements, seed=1, epoch=0)]
    mixed = [kind for kind in kinds if 9 in kind and len(kind) > 1]
    assert (len(mixed) > 2) is pooled  # sorted as a whole, nine mixes with eight once, with ten once


def test_the_order_is_the_same_on_every_machine_and_in_every_version():
    batches = epoch_batches(np.array([3, 1, 2, 3, 5, 1, 4]), 6, seed=7, epoch=3)
    assert list(batches) == [[4], [5, 1, 2], [3, 0], [6]]


def test_an_example_that_fits_in_no_batch_is_named():
    with pytest.raises(DataError, match=r"example 2 has 90 positions.*\(64\).*to 90.*data\.max_length"):
        epoch_batches(np.array([3, 64, 90, 70]), 64, seed=1, epoch=0)
    with pytest.raises(DataError, match=r"^train\.en:3 has 90"):
        epoch_batches(np.array([90]), 64, seed=1, epoch=0, place=lambda id_: f"train.en:{id_ + 3}")


def test_ordered_batches_go_from_long_to_short():
    batches = ordered_batches(np.array([3, 9, 1, 9, 4]), 2, 100)
    assert batches == [[1, 3], [4, 0], [2]]
    assert ordered_batches(np.array([], dtype=np.int64), 2, 100) == []
    assert all(type(example) is int for batch in batches for example in batch)


def test_ordered_batches_have_no_more_positions_than_told():
    lengths = np.array([3, 30, 1, 9, 4, 2, 2])
    assert ordered_batches(lengths, 4, 16) == [[1], [3], [4, 0, 5, 6], [2]]
    assert ordered_batches(lengths, 64, 1) == [[one] for one in (1, 3, 4, 0, 5, 6, 2)]
