"""Inputs are presented in the light of those that share a tag's value: in memory, in files, in any batch."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from seqloom.data.cache import POOLS, Cache, Source
from seqloom.data.dataset import Dataset
from seqloom.data.features import FeatureReader
from seqloom.data.manifest import Located
from seqloom.modality import Modality
from seqloom.task import Example

Row = tuple[str, str | None]

ROWS: list[Row] = [
    ("1 2 3", "ann"),
    ("10", "bob"),
    ("5 5", "ann"),
    ("20 30", "bob"),
    ("7", None),
    ("9", None),
]


class Shares(Modality):
    """Numbers, seen as shares of all that their speaker says."""

    pools_by = "speaker"

    def read(self, raw: str) -> Tensor:
        return torch.tensor([float(word) for word in raw.split()])

    def sums(self, features: Tensor) -> Tensor:
        return features.double().sum()[None]

    def present(
        self, features: Tensor, generator: torch.Generator | None, sums: Tensor | None = None
    ) -> Tensor:
        rows = features if generator is None else self.augment(features, generator)
        return rows / (self.sums(features) if sums is None else sums).float()

    def augment(self, features: Tensor, generator: torch.Generator) -> Tensor:
        return features + torch.rand(features.shape, generator=generator)

    def frontend(self, width: int, embedding: Any) -> Any:
        raise NotImplementedError


class Apart(Shares):
    pools_by = None


def located(rows: Sequence[Row]) -> list[Located]:
    return [
        Located(Example(id_, {"source": raw}, "x", ["x"], {"speaker": who} if who else {}), line=id_ + 1)
        for id_, (raw, who) in enumerate(rows)
    ]


def loaded(rows: Sequence[Row] = ROWS, modality: Modality | None = None, **options: Any) -> Dataset:
    return Dataset.load(located(rows), {"source": modality or Shares()}, None, **options)


def cached(rows: Sequence[Row], folder: Path) -> Dataset:
    modalities = {"source": Shares()}
    source = Source({}, lambda bad: located(rows), FeatureReader(modalities, None), {})
    return Cache(folder).dataset(source, modalities)


def seen(dataset: Dataset, *ids: int, augment: bool = False) -> list[list[float]]:
    values, lengths = dataset.collate(ids, seed=1, epoch=0, augment=augment).inputs["source"]
    return [row[:length].tolist() for row, length in zip(values, lengths, strict=True)]


def shares(total: float, *numbers: float) -> Any:
    return pytest.approx([number / total for number in numbers])


def test_each_is_seen_in_the_light_of_its_group() -> None:
    assert seen(loaded(), 0, 1, 2, 3) == [
        shares(16, 1, 2, 3),
        shares(60, 10),
        shares(16, 5, 5),
        shares(60, 20, 30),
    ]


def test_an_example_without_the_tag_stands_alone() -> None:
    assert seen(loaded(), 4, 5) == [[1.0], [1.0]]
    assert seen(loaded([(raw, None) for raw, _ in ROWS]), 0, 3) == [shares(6, 1, 2, 3), shares(50, 20, 30)]


def test_one_that_is_all_of_its_group_stands_alone() -> None:
    assert seen(loaded([("1 2 3", "ann"), ("4", "bob")]), 0) == seen(loaded([("1 2 3", None)]), 0)


def test_a_modality_that_pools_nothing_hears_of_none() -> None:
    assert seen(loaded(modality=Apart()), 0, 3) == [shares(6, 1, 2, 3), shares(50, 20, 30)]


def test_what_is_left_out_adds_nothing() -> None:
    assert seen(loaded(max_length=2), 1) == [shares(10, 5, 5)]


@pytest.mark.parametrize("augment", [False, True])
def test_company_changes_nothing(augment: bool) -> None:
    dataset = loaded()
    together = seen(dataset, 0, 1, 2, 3, 4, augment=augment)
    assert [seen(dataset, id_, augment=augment)[0] for id_ in range(5)] == together
    assert (together == seen(dataset, 0, 1, 2, 3, 4)) is not augment


def test_files_and_copies_of_workers_have_the_same(tmp_path: Path) -> None:
    for dataset in (cached(ROWS, tmp_path), cached(ROWS, tmp_path)):  # made, and found
        copy = pickle.loads(pickle.dumps(dataset.collator))
        for augment in (False, True):
            wanted = seen(loaded(), 3, 0, 4, augment=augment)
            assert seen(dataset, 3, 0, 4, augment=augment) == wanted
            batch = copy([3, 0, 4], seed=1, epoch=0, augment=augment)
            assert torch.equal(
                batch.inputs["source"].values,
                dataset.collate([3, 0, 4], seed=1, epoch=0, augment=augment).inputs["source"].values,
            )
    assert len(list(tmp_path.glob(f"*/{POOLS}"))) == 1


def test_an_input_that_examples_share_counts_once() -> None:
    dataset = loaded([("1", "ann"), ("1", "ann"), ("3", "ann"), ("1", "ann")])
    assert dataset.siblings is not None
    assert seen(dataset, 1, 2, 3) == [shares(5, 1), shares(5, 3), shares(5, 1)]


def test_examples_of_two_groups_share_no_input() -> None:
    dataset = loaded([("2", "ann"), ("2", "bob"), ("3", "bob"), ("3", "bob")])
    assert dataset.siblings is not None
    assert dataset.siblings.tolist() == [0, 1, 2, 2]
    batch = dataset.collate([0, 1, 2, 3], seed=1, epoch=0, augment=False)
    assert batch.inputs["source"].values.flatten().tolist() == pytest.approx([1.0, 0.4, 0.6])
    assert batch.rows is not None
    assert batch.rows.tolist() == [0, 1, 2, 2]
