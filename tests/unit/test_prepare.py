"""Training data is prepared once for all that its features follow from, and again where that changes."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from seqloom.build import Builder, Kit
from seqloom.catalog import Catalog
from seqloom.data.batching import epoch_batches
from seqloom.data.cache import Cache
from seqloom.data.dataset import Dataset
from seqloom.data.manifest import file_sha256, read_examples
from seqloom.data.splits import Slot, split_files
from seqloom.jobfile import Job
from seqloom.jobs import train_job
from seqloom.prepare import training_data, training_kit
from seqloom.site import Site

MODALITY = """\
from seqloom_text.modality import TextModality

class Shouting(TextModality):
    def read(self, raw):
        return super().read(raw{change})
"""


class NamesFiles(Builder):
    """Takes the source for names of files."""

    def slots(self) -> dict[str, bool]:
        return {"source": Slot((".txt",))}


class Preparing:
    """Prepares a job's data, and counts how often it did."""

    def __init__(self, job: Callable[..., Job], catalog: Catalog, folder: Path) -> None:
        self.job, self.catalog, self.folder = job, catalog, folder

    def __call__(
        self, *overrides: str, kind: type[Builder] = Builder, change: Callable[[Kit], None] = lambda _: None
    ) -> Dataset:
        job = self.job(*overrides)
        builder = kind(job.config, self.catalog)
        kit = training_kit(job, builder, self.folder / "tokenizers")
        change(kit)
        hashes = {str(file): file_sha256(file) for file in split_files(job.config.data.train, job.root)}
        return training_data(job, builder, kit, hashes, Cache(self.folder / "cache"))

    def count(self) -> int:
        return sum(path.is_dir() for path in (self.folder / "cache").iterdir())


@pytest.fixture
def prepare(job: Callable[..., Job], catalog: Catalog, workplace: Any) -> Preparing:
    return Preparing(job, catalog, workplace.folder)


def test_batches_of_an_epoch_are_those_of_memory(
    prepare: Preparing, job: Callable[..., Job], catalog: Catalog
) -> None:
    cached = prepare("data.max_length=5")
    loaded = job("data.max_length=5")
    builder = Builder(loaded.config, catalog)
    kit = training_kit(loaded, builder, prepare.folder / "tokenizers")
    examples = read_examples(loaded.config.data.train, loaded.root, builder.slots())
    listed = Dataset.load(examples, kit.modalities, kit.task.read_target, 5)
    assert 0 < cached.left_out == listed.left_out
    assert np.array_equal(cached.lengths, listed.lengths)
    assert cached.place(7) == listed.place(7)
    for ids in epoch_batches(cached.lengths, 64, 1, 0):
        ours, theirs = (data.collate(ids, seed=1, epoch=0, augment=True) for data in (cached, listed))
        for one, other in ((ours.inputs["source"], theirs.inputs["source"]), (ours.target, theirs.target)):
            assert one is not None
            assert other is not None
            assert torch.equal(one.values, other.values)
            assert torch.equal(one.lengths, other.lengths)


def test_weights_are_of_the_examples_of_their_files(prepare: Preparing) -> None:
    first = "{files: {source: train.src, target: train.tgt}, weight: %s}"
    second = "{source: valid.src, target: valid.tgt}"
    for weight in (2.5, 1.0):
        data = prepare(f"data.train=[{first % weight}, {second}]")
        assert data.weights == [(0, weight), (40, 1.0)]
    assert prepare.count() == 1


def test_trainings_of_the_same_data_share_it(job: Callable[..., Job], site: Site) -> None:
    for options in (["train.steps=1"], ["train.steps=2", "train.seed=2", "model.width=16"]):
        train_job(job(*options), site)
    assert sum(path.is_dir() for path in (site.runs / "cache").iterdir()) == 1


def test_it_lies_where_the_environment_says(
    job: Callable[..., Job], site: Site, workplace: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQLOOM_CACHE", str(workplace.folder / "elsewhere"))
    train_job(job("train.steps=1"), site)
    assert any((workplace.folder / "elsewhere").iterdir())
    assert not (site.runs / "cache").exists()


def test_what_the_features_follow_from_has_them_made_anew(
    prepare: Preparing, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare()
    prepare("train.steps=9", "decode.beam=2")
    assert prepare.count() == 1
    prepare("data.max_length=5")
    prepare("data.on_bad_example=skip")
    assert prepare.count() == 3
    (prepare.folder / "train.src").write_text("1 2\n3 4\n" * 20)
    assert prepare().collate([0, 1], seed=1, epoch=0, augment=False).inputs["source"].values.shape == (2, 3)
    assert prepare.count() == 4
    monkeypatch.setattr("seqloom.prepare.versions", lambda _: {"seqloom": "99"})
    prepare()
    assert prepare.count() == 5


def test_other_tokens_have_them_made_anew(prepare: Preparing) -> None:
    def reverse(kit: Kit) -> None:
        tokenizer = kit.tokenizers["joint"]
        tokenizer.restore({"tokens": tokenizer.state()["tokens"][::-1]})

    first = prepare().collate([0], seed=1, epoch=0, augment=False).inputs["source"]
    other = prepare(change=reverse).collate([0], seed=1, epoch=0, augment=False).inputs["source"]
    assert prepare.count() == 2
    assert not torch.equal(first.values, other.values)


def test_code_that_changes_has_them_made_anew(prepare: Preparing, monkeypatch: pytest.MonkeyPatch) -> None:
    file = prepare.folder / "shouting.py"
    monkeypatch.syspath_prepend(prepare.folder)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def shout(kit: Kit) -> None:
        monkeypatch.delitem(sys.modules, "shouting", raising=False)
        kit.modalities["source"] = importlib.import_module("shouting").Shouting(kit.tokenizer("source"))

    for change in ("", "", "[::-1]"):
        file.write_text(MODALITY.format(change=change))
        prepare(change=shout)
    assert prepare.count() == 2


def test_code_of_a_package_that_changes_has_them_made_anew(
    prepare: Preparing, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = prepare.folder / "shouts"
    (package / "inner").mkdir(parents=True)
    (package / "modality.py").write_text(MODALITY.format(change=""))
    monkeypatch.syspath_prepend(prepare.folder)

    def shout(kit: Kit) -> None:
        kit.modalities["source"] = importlib.import_module("shouts.modality").Shouting(
            kit.tokenizer("source")
        )

    for content in ("A = 1", "A = 1", "A = 2"):
        (package / "inner" / "helper.py").write_text(content)
        prepare(change=shout)
    assert prepare.count() == 2


def test_files_that_examples_name_have_them_made_anew(prepare: Preparing) -> None:
    image = prepare.folder / "image"
    image.write_text("1")
    (prepare.folder / "train.src").write_text("image\n" * 40)
    for _ in range(2):
        prepare(kind=NamesFiles)
    assert prepare.count() == 1
    os.utime(image, ns=(1, 1))
    prepare(kind=NamesFiles)
    assert prepare.count() == 2
    image.unlink()
    (prepare.folder / "train.src").write_text("image\n" + "train.tgt\n" * 39)
    options = ("data.on_bad_example=skip", "data.bad_examples=0.5")
    assert prepare(*options, kind=NamesFiles).skipped == 1
