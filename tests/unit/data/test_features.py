"""Features are read in order, whoever reads them."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterable, Iterator, Sequence

import pytest
import torch
from torch import Tensor

from seqloom.data.ahead import AHEAD, ReadAhead, usable_cores
from seqloom.data.features import FeatureReader
from seqloom.data.manifest import Located
from seqloom.errors import DataError
from seqloom.task import Example


class Slow:
    """Reads numbers after moments of different lengths, and knows who read them."""

    def __init__(self) -> None:
        self.threads: dict[str, int] = {}
        self.calls = 0

    def read(self, raw: str) -> Tensor:
        time.sleep(random.Random(raw).random() / 200)
        self.calls += 1
        self.threads[raw] = threading.get_ident()
        if not raw.isdigit():
            raise DataError(f"{raw!r} is no number")
        return torch.tensor([int(raw)])


def examples(raws: Iterable[str]) -> Iterator[Located]:
    for number, raw in enumerate(raws):
        yield Located(Example(number, {"image": raw}, raw, [raw]), {}, number + 1)


def reader(slow: Slow, from_files: Sequence[str]) -> FeatureReader:
    return FeatureReader({"image": slow}, lambda text: torch.zeros(1), from_files=from_files)  # type: ignore[dict-item]


@pytest.mark.parametrize("from_files", [[], ["image"]])
def test_order_is_kept(from_files: list[str]) -> None:
    raws = [str(number) for number in range(2 * AHEAD)]
    slow = Slow()
    found = list(reader(slow, from_files).read(examples(raws)))
    assert [int(read.features["image"]) for read in found] == list(range(2 * AHEAD))
    own = {slow.threads[raw] == threading.get_ident() for raw in raws}
    assert own == {not from_files}


@pytest.mark.parametrize("from_files", [[], ["image"]])
def test_siblings_are_read_once_and_have_one_tensor(from_files: list[str]) -> None:
    slow = Slow()
    found = [read.features["image"] for read in reader(slow, from_files).read(examples("1112"))]
    assert found[0] is found[1] is found[2]
    assert found[3] is not found[0]
    assert slow.calls == 2


@pytest.mark.parametrize("from_files", [[], ["image"]])
def test_bad_ones_are_told_in_order(from_files: list[str]) -> None:
    told: list[str] = []
    read = list(reader(Slow(), from_files).read(examples("a1b2c"), lambda error: told.append(str(error))))
    assert [one.located.line for one in read] == [2, 4]
    assert [one.located.example.id for one in read] == [0, 1]
    assert [message.rpartition("image: ")[2] for message in told] == [
        f"'{raw}' is no number" for raw in "abc"
    ]


def test_what_nobody_waits_for_is_not_read() -> None:
    slow = Slow()
    with pytest.raises(DataError, match="'x' is no number"):
        list(reader(slow, ["image"]).read(examples(["x", *map(str, range(10 * AHEAD))])))
    assert slow.calls < AHEAD + 1


@pytest.mark.skipif(usable_cores() < 2, reason="one core reads one file at a time")
def test_several_are_read_at_once() -> None:
    both = threading.Barrier(2, timeout=30)
    with ReadAhead() as ahead:
        answers = [ahead.begin(both.wait) for _ in range(2)]
        assert sorted(answer() for answer in answers) == [0, 1]
