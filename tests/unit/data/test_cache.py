"""Features in files: the same batches as in memory, made once, found damaged, made anew."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

from seqloom.data.cache import Cache, Source, cache_folder
from seqloom.data.dataset import Dataset
from seqloom.data.features import FeatureReader
from seqloom.data.manifest import Located
from seqloom.errors import DataError, StorageError
from seqloom.modality import Modality
from seqloom.task import Example


class Ids(Modality):
    """A number is a token."""

    def read(self, raw):
        return torch.tensor([int(word) for word in raw.split()])

    def augment(self, features, generator):
        return features + torch.randint(100, features.shape, generator=generator)

    def frontend(self, width, embedding):
        raise NotImplementedError


class Words(Ids):
    """Like ``Ids``, and says what is no number."""

    def read(self, raw):
        if not raw.replace(" ", "").isdigit():
            raise DataError(f"'{raw}' is no number")
        return super().read(raw)


class Frames(Ids):
    """A number is a frame of as many features as the first number says."""

    dtype = torch.float32

    def read(self, raw):
        numbers = [float(word) for word in raw.split()]
        return torch.tensor([[number] * int(numbers[0]) for number in numbers], dtype=self.dtype)


def read_target(raw):
    return torch.tensor([ord(letter) for letter in raw])


def located(line, source, target="de"):
    files = FILES[0] if line < 3 else FILES[1]
    return Located(Example(line - 1, {"source": source}, target, [target]), files, line)


FILES = [{"source": Path(f"{name}.en"), "target": Path(f"{name}.de")} for name in "ab"]
ROWS = [(1, "7 8 9", "de"), (2, "299", "ghijk"), (3, "0 0 0 0 0 0 0 0 0", "n"), (4, "1 2", "nn")]
LOCATED = [located(*row) for row in ROWS]


@pytest.fixture
def said():
    return []


@pytest.fixture
def make(tmp_path, said):
    def make(examples=LOCATED, modality=None, *, sizes=None, max_length=None, skippable=None, **facts):
        modalities = {"source": modality or Ids()}
        reader = FeatureReader(modalities, read_target, max_length)
        sizes = {"source": 300, "target": 128} if sizes is None else sizes
        source = Source(facts, lambda bad: examples, reader, sizes, skippable)
        return Cache(tmp_path, said.append).dataset(source, modalities, tmp_path / "skipped.jsonl")

    return make


def same(one, other):
    return torch.equal(one.values, other.values) and torch.equal(one.lengths, other.lengths)


def assert_alike(cached, listed):
    assert cached.lengths.tolist() == listed.lengths.tolist()
    assert (len(cached), cached.left_out) == (len(listed), listed.left_out)
    assert [cached.place(id_) for id_ in range(len(cached))] == [
        listed.place(i) for i in range(len(listed))
    ]
    for ids in ([0], [2, 0, 1], list(range(len(listed)))):
        for augment in (False, True):
            ours, theirs = (d.collate(ids, seed=1, epoch=2, augment=augment) for d in (cached, listed))
            assert same(ours.inputs["source"], theirs.inputs["source"])
            assert ours.inputs["source"].values.dtype == theirs.inputs["source"].values.dtype
            assert same(ours.target, theirs.target)
            assert ours.ids == theirs.ids


@pytest.mark.parametrize("modality", [Ids(), Frames()])
@pytest.mark.parametrize("max_length", [None, 5])
@pytest.mark.parametrize("block", [{}, {"BLOCK": 3}, {"BLOCK_BYTES": 30}])
def test_batches_are_those_of_memory(make, modality, max_length, block, monkeypatch):
    for name, size in block.items():
        monkeypatch.setattr(f"seqloom.data.mapped.{name}", size)
    rows = LOCATED if isinstance(modality, Ids) and not isinstance(modality, Frames) else LOCATED[::3]
    rows = [located(n, f"3 {n}") for n in range(1, 9)] if isinstance(modality, Frames) else rows
    listed = Dataset.load(rows, {"source": modality}, read_target, max_length)
    assert_alike(make(rows, modality, max_length=max_length), listed)
    assert_alike(make(rows, modality, max_length=max_length), listed)  # found, not made


def test_it_is_made_once_for_each_source(make, said):
    make(a=1)
    make(a=1)
    assert len(said) == 1
    make(a=2)
    assert len(said) == 2
    assert "preparing the training data, once, in" in said[0]


def test_ids_take_few_bytes(make, tmp_path):
    make()
    (folder,) = (path for path in tmp_path.iterdir() if path.is_dir())
    positions = sum(len(source.split()) for _, source, _ in ROWS)
    assert (folder / "source.values").stat().st_size == 2 * positions
    assert (folder / "target.values").stat().st_size == sum(len(target) for *_, target in ROWS)
    assert np.fromfile(folder / "lines", np.int64).tolist() == [1, 2, 3, 4]


def test_what_is_the_same_beside_each_other_is_read_and_kept_once(make, tmp_path):
    class Counting(Frames):
        seen: ClassVar[list[str]] = []

        def read(self, raw):
            self.seen.append(raw)
            return super().read(raw)

    sources = ["3 1", "3 1", "3 1", "3 2 4", "3 1"]
    rows = [located(n, source, f"de{n}") for n, source in enumerate(sources, 1)]
    cached = make(rows, Counting())
    assert Counting.seen == ["3 1", "3 2 4", "3 1"]
    assert_alike(cached, Dataset.load(rows, {"source": Counting()}, read_target))
    (folder,) = (path for path in tmp_path.iterdir() if path.is_dir())
    assert (folder / "source.values").stat().st_size == (2 + 3 + 2) * 3 * 4
    assert (folder / "source.spans").stat().st_size == 5 * 2 * 8


def test_places_are_those_of_the_files(make):
    cached = make()
    assert [cached.place(id_) for id_ in range(4)] == ["a.en:1", "a.en:2", "b.en:3", "b.en:4"]
    nowhere = Located(Example(0, {"source": "1"}, "d", []))
    assert make([nowhere], a=1).place(0) == "example 0"


def test_texts_are_not_kept(make):
    cached = make()
    assert cached.examples == ()
    assert cached.collate([1, 0], seed=0, epoch=0, augment=False).references == [[], []]


def test_it_pickles_by_name(make):
    cached = make()
    pickled = pickle.dumps(cached)
    size = len(pickle.dumps(make([located(1, "7 8 9")] * 2000, a=1)))
    assert size < len(pickled) + 8 * 2000 + 100  # lengths only
    copy = pickle.loads(pickled)
    assert same(copy.collate([2], seed=1, epoch=0, augment=True).inputs["source"],
                cached.collate([2], seed=1, epoch=0, augment=True).inputs["source"])  # fmt: skip
    assert copy.place(2) == "b.en:3"


def test_large_data_is_taken_in_chunks(make, monkeypatch):
    monkeypatch.setattr("seqloom.data.mapped.CHUNK", 2)
    rows = [located(n, " ".join("1" * n)) for n in range(1, 8)]
    assert make(rows).lengths.tolist() == [2, 2, 3, 4, 5, 6, 7]


def test_a_damaged_cache_is_made_anew(make, tmp_path, said):
    expected = make().collate([0, 1], seed=0, epoch=0, augment=False)
    (folder,) = (path for path in tmp_path.iterdir() if path.is_dir())
    values = folder / "source.values"
    values.write_bytes(b"\xff" + values.read_bytes()[1:])
    found = make().collate([0, 1], seed=0, epoch=0, augment=False)
    assert same(found.inputs["source"], expected.inputs["source"])
    assert "damaged and made anew" in said[1]
    assert "source.values" in said[1]


@pytest.mark.parametrize(
    ("row", "modality", "message"),
    [
        (
            located(9, "1 300"),
            Ids(),
            r"^b\.en:9: source: token ids from 1 to 300, and there are 300 tokens",
        ),
        (located(9, "-1"), Ids(), r"^b\.en:9: source: token ids from -1 to -1"),
        (located(9, "1", "é"), Ids(), r"^b\.de:9: target: token ids from 233"),
    ],
)
def test_ids_outside_the_vocabulary_are_located(make, row, modality, message, tmp_path):
    with pytest.raises(DataError, match=message):
        make([*LOCATED, row], modality)
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


def test_features_of_another_kind_are_located(make):
    class Mixed(Frames):
        def read(self, raw):
            self.dtype = torch.float32 if raw == "1" else torch.float64
            return super().read(raw)

    with pytest.raises(
        DataError, match=r"a\.en:2: source: features are float64, those of the first.*float32"
    ):
        make([located(1, "1"), located(2, "1 1")], Mixed())


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    reader = FeatureReader({"source": Ids()}, None)
    with pytest.raises(StorageError, match="cannot make it"):
        Cache(tmp_path / "file" / "cache").dataset(Source({}, lambda bad: LOCATED, reader, {}), {})


def test_where_caches_are(tmp_path, monkeypatch):
    monkeypatch.delenv("SEQLOOM_CACHE", raising=False)
    assert cache_folder(tmp_path) == tmp_path / "cache"
    monkeypatch.setenv("SEQLOOM_CACHE", str(tmp_path / "elsewhere"))
    assert cache_folder(tmp_path) == tmp_path / "elsewhere"


# Bad examples ------------------------------------------------------------------------------------------

BAD = [located(5, "x"), located(6, "3", "")]


def test_bad_examples_are_skipped_and_recorded(make, tmp_path):
    for _ in range(2):  # the second time, the features are there already
        cached = make([BAD[0], *LOCATED, BAD[1]], Words(), skippable=1 / 3)
        assert (len(cached), cached.skipped, cached.left_out) == (4, 2, 0)
        assert cached.place(0) == "a.en:1"
        entries = [json.loads(line) for line in (tmp_path / "skipped.jsonl").read_text().splitlines()]
        assert entries == [
            {"file": "b.en", "line": 5, "reason": "source: 'x' is no number"},
            {"file": "b.de", "line": 6, "reason": "target: nothing is left of it once it is read"},
        ]
        (tmp_path / "skipped.jsonl").unlink()
    assert make(LOCATED, Words(), skippable=0.5, a=1).skipped == 0
    assert not (tmp_path / "skipped.jsonl").exists()


def test_the_budget_counts_long_examples_as_usable(make):
    assert make([*LOCATED, *BAD], Words(), skippable=1 / 3, max_length=2).left_out == 3


def test_too_many_bad_examples_are_an_error(make, tmp_path):
    with pytest.raises(DataError, match=r"2 of 6 training .*data\.bad_examples \(0\.33\)") as caught:
        make([*LOCATED, *BAD], Words(), skippable=0.33)
    assert "b.en:5: source: 'x' is no number" in str(caught.value)
    assert "b.de:6: target" in str(caught.value)
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


def test_one_bad_example_is_an_error_where_none_may_be_skipped(make):
    with pytest.raises(DataError, match=r"^b\.en:5: source: 'x' is no number"):
        make([*LOCATED, *BAD], Words())


def test_nothing_left_is_an_error(make):
    with pytest.raises(DataError, match="no training example is left"):
        make(BAD, Words(), skippable=1.0)
