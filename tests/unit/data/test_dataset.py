"""Examples in memory, and batches that depend on nothing but their ids."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from seqloom.data.dataset import Dataset
from seqloom.data.manifest import Located
from seqloom.errors import DataError
from seqloom.modality import Modality
from seqloom.task import Example


class Letters(Modality):
    """A letter is a token from 4 on; augmentation adds noise of its generator, and a position."""

    def read(self, raw):
        if "!" in raw:
            raise DataError("no '!' please")
        return torch.tensor([ord(letter) - 93 for letter in raw if letter != "_"])

    def augment(self, features, generator):
        noise = torch.randint(100, (len(features) + 1,), generator=generator)
        return torch.cat([features, features[:1]]) + noise

    def frontend(self, width, embedding):
        raise NotImplementedError


class Doubled(Letters):
    """Kept as letters, seen as twice their numbers."""

    def present(self, features, generator, sums=None):
        return 2 * super().present(features, generator)


class Frames(Letters):
    """A letter is a frame of as many features as the text's first letter says."""

    def read(self, raw):
        return torch.ones(len(raw), ord(raw[0]) - 96)


def located(source, target=None, line=1):
    example = Example(line - 1, {"source": source}, target, [] if target is None else [target])
    return Located(example, {"source": Path("train.en"), "target": Path("train.de")}, line)


PAIRS = [("abc", "de"), ("f", "ghijk"), ("lm", "n")]
LOCATED = [located(source, target, line) for line, (source, target) in enumerate(PAIRS, 1)]


@pytest.fixture
def dataset():
    return Dataset.load(LOCATED, {"source": Letters()}, Letters().read)


def plain(dataset, ids):
    return dataset.collate(ids, seed=1, epoch=0, augment=False)


def varied(dataset, ids, seed=1, epoch=0):
    source = dataset.collate(ids, seed=seed, epoch=epoch, augment=True).inputs["source"]
    return [row[:length].tolist() for row, length in zip(source.values, source.lengths, strict=True)]


def test_batches_are_padded_on_the_right(dataset):
    batch = plain(dataset, [2, 0])
    assert batch.inputs["source"].values.tolist() == [[15, 16, 0], [4, 5, 6]]
    assert batch.inputs["source"].lengths.tolist() == [2, 3]
    assert batch.inputs["source"].lengths.dtype == torch.int64
    assert batch.target.values.tolist() == [[17, 0], [7, 8]]
    assert batch.references == [["n"], ["de"]]
    assert batch.ids == [2, 0]


CAPTIONED = [("abc", "de"), ("abc", "ghijk"), ("f", "n"), ("lm", "k"), ("lm", "dk"), ("lm", "o")]


@pytest.fixture
def captioned():
    examples = [located(source, target, line) for line, (source, target) in enumerate(CAPTIONED, 1)]
    return Dataset.load(examples, {"source": Letters()}, Letters().read)


def test_shared_inputs_are_in_a_batch_once(captioned):
    assert captioned.siblings.tolist() == [0, 0, 2, 3, 3, 3]
    batch = plain(captioned, [5, 0, 3, 1])
    assert batch.inputs["source"].values.tolist() == [[4, 5, 6], [15, 16, 0]]
    assert batch.rows.tolist() == [1, 0, 1, 0]
    assert batch.target.lengths.tolist() == [1, 2, 1, 5]
    assert batch.ids == [5, 0, 3, 1]


def test_siblings_vary_alike_in_whatever_batch(captioned):
    (alone,) = varied(captioned, [4])
    assert varied(captioned, [0, 3, 5])[1] == alone
    assert varied(captioned, [3]) == [alone]


def test_few_that_share_inputs_are_left_alone():
    pairs = [(chr(97 + number % 26) * (1 + number // 26), "d") for number in range(30)]
    examples = [located(*pair) for pair in [*pairs, pairs[-1]]]
    dataset = Dataset.load(examples, {"source": Letters()}, Letters().read)
    assert dataset.siblings is None
    assert plain(dataset, [30, 29]).rows is None


def test_lengths_are_those_of_the_longest_slot(dataset):
    assert dataset.lengths.tolist() == [3, 5, 2]
    assert dataset.lengths.dtype == np.int64
    assert len(dataset) == 3
    assert dataset.left_out == 0


def test_without_targets(dataset):
    inputs = Dataset.load(
        map(Located, (located("ab").example, located("c").example)), {"source": Letters()}, None
    )
    assert plain(inputs, [0, 1]).target is None
    assert plain(inputs, [0]).references == [[]]
    assert inputs.lengths.tolist() == [2, 1]


def test_features_of_frames_are_padded_with_zeros():
    dataset = Dataset.load([located("bb"), located("bbb")], {"source": Frames()}, None)
    source = plain(dataset, [0, 1]).inputs["source"]
    assert source.values.shape == (2, 3, 2)
    assert source.values.dtype == torch.float32
    assert source.values[0].tolist() == [[1, 1], [1, 1], [0, 0]]


def test_too_long_examples_are_left_out_and_counted():
    dataset = Dataset.load(LOCATED, {"source": Letters()}, Letters().read, max_length=3)
    assert dataset.left_out == 1
    assert [example.inputs["source"] for example in dataset.examples] == ["abc", "lm"]
    assert [example.id for example in dataset.examples] == [0, 1]
    assert dataset.lengths.tolist() == [3, 2]
    assert plain(dataset, [1]).references == [["n"]]
    with pytest.raises(DataError, match="all 3 examples have more than 1 positions"):
        Dataset.load(LOCATED, {"source": Letters()}, Letters().read, max_length=1)


def test_augmentation_depends_on_seed_epoch_and_example_alone(dataset):
    together = varied(dataset, [0, 1, 2])
    assert [varied(dataset, [id_])[0] for id_ in (0, 1, 2)] == together
    assert varied(dataset, [2, 0]) == [together[2], together[0]]
    assert varied(dataset, [0, 1, 2], seed=2) != together
    assert varied(dataset, [0, 1, 2], epoch=1) != together
    assert [len(row) for row in together] == [4, 2, 3]
    shorter = Dataset.load(LOCATED[:2], {"source": Letters()}, Letters().read)
    assert varied(shorter, [0, 1]) == together[:2]


def test_equal_examples_vary_differently():
    dataset = Dataset.load([located("abc"), located("d"), located("abc")], {"source": Letters()}, None)
    first, _, second = varied(dataset, [0, 1, 2])
    assert first != second


@pytest.mark.parametrize("augment", [False, True])
def test_a_batch_holds_what_the_modality_presents(augment):
    ids = [0, 1, 2]
    kept, seen = (
        Dataset.load(LOCATED, {"source": modality}, Letters().read).collate(
            ids, seed=1, epoch=0, augment=augment
        )
        for modality in (Letters(), Doubled())
    )
    assert torch.equal(seen.inputs["source"].values, 2 * kept.inputs["source"].values)
    assert torch.equal(seen.target.values, kept.target.values)


def test_augmentation_changes_neither_targets_nor_the_data(dataset):
    before = plain(dataset, [0, 1])
    batch = dataset.collate([0, 1], seed=1, epoch=0, augment=True)
    assert torch.equal(batch.target.values, before.target.values)
    assert torch.equal(plain(dataset, [0, 1]).inputs["source"].values, before.inputs["source"].values)


def test_it_pickles(dataset):
    copy = pickle.loads(pickle.dumps(dataset))
    assert varied(copy, [1, 2]) == varied(dataset, [1, 2])


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (located("a!", "b", 7), r"^train\.en:7: source: no '!' please$"),
        (located("a", "b!", 7), r"^train\.de:7: target: no '!' please$"),
        (located("__", "b", 7), r"^train\.en:7: source: nothing is left"),
        (located("a", None, 7), r"^train\.de:7: target: this example has no target$"),
        (Located(Example(0, {"source": "a!"}, "b", [])), r"^source: no '!' please$"),
    ],
)
def test_what_cannot_be_used_is_located(bad, message):
    with pytest.raises(DataError, match=message):
        Dataset.load([*LOCATED, bad], {"source": Letters()}, Letters().read)


def test_features_that_differ_in_more_than_time_are_refused():
    examples = [located("bb"), located("ccc", line=2)]
    with pytest.raises(DataError, match=r"train\.en:2: .*size \[3\].*first example has \[2\]"):
        Dataset.load(examples, {"source": Frames()}, None)
