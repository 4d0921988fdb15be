"""How good are answers that take no model? The nearest training example's target, or the commonest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import torch
from torch import Tensor

from seqloom.data.dataset import Dataset
from seqloom.data.features import FeatureReader
from seqloom.data.manifest import Located
from seqloom.data.skipping import Refuse, refuse

BLOCK: Final = 256
"""Examples that are compared with as many others at a time."""

Shape = tuple[tuple[str, tuple[int, ...]], ...]
"""Each slot and the shape of its features."""


def baseline_answers(
    names: Sequence[str],
    asked: Dataset,
    training: Iterable[Located],
    reader: FeatureReader,
    *,
    bad: Refuse = refuse,
    device: torch.device | str = "cpu",
) -> dict[str, list[str]]:
    """What each baseline answers to each example.

    ``frequent`` always gives the target that training has most often, the first of several such.
    ``nearest`` gives the target of the training example whose features, as batches have them, have the
    least sum of squared differences to those asked of; the most frequent one where none has their shape.

    Args:
        names: ``nearest``, ``frequent``.
        asked: Examples to answer, in memory.
        training: Examples to answer with; one with several targets answers with its first.
        reader: Reads their inputs.
        bad: Is told of training examples that cannot be used.
        device: Where to compare.

    Returns:
        For each name, a text for each example.
    """
    counts: Counter[str] = Counter()
    counted = _counted(training, counts)
    found: list[str | None] = [None] * len(asked)
    if "nearest" in names:
        found = _nearest(asked, reader.read(counted, bad), device)
    for _ in counted:  # what nobody had to read
        pass
    frequent = max(counts, key=counts.__getitem__, default="")
    answers = {
        "nearest": [frequent if text is None else text for text in found],
        "frequent": [frequent] * len(asked),
    }
    return {name: answers[name] for name in names}


def _counted(training: Iterable[Located], counts: Counter[str]) -> Iterator[Located]:
    for located in training:
        counts.update(located.example.references)
        yield located


# Nearest -----------------------------------------------------------------------------------------------


class _Row(NamedTuple):
    """An example as one row of numbers, and what goes with it."""

    values: Tensor
    target: str


def _nearest(
    asked: Dataset, training: Iterable[tuple[Located, dict[str, Tensor]]], device: torch.device | str
) -> list[str | None]:
    rivals = {shape: _Rivals(ids, asked, device) for shape, ids in _by_shape(asked).items()}
    for located, read in training:
        features = asked.present(read)
        if rival := rivals.get(_shape(features)):
            rival.add(_Row(_flat(features), located.example.target or ""))
    answers: list[str | None] = [None] * len(asked)
    for rival in rivals.values():
        for id_, answer in zip(rival.ids, rival.answers(), strict=True):
            answers[id_] = answer
    return answers


class _Rivals:
    """Examples of one shape, and the nearest that each has met so far.

    Distances are taken from the mean of those asked of: numbers that are small lose little in fp32.

    Args:
        ids: N examples asked of.
        asked: Where they are.
        device: Where to compare.
    """

    def __init__(self, ids: list[int], asked: Dataset, device: torch.device | str) -> None:
        self.ids = ids
        self._device = device
        self._asked = torch.stack([_flat(_features(asked, id_)) for id_ in ids])  # [N, D]
        self._centre = self._asked.double().mean(0).float().to(device)  # [D]
        self._least = torch.full((len(ids),), torch.inf)
        self._answers: list[str | None] = [None] * len(ids)
        self._waiting: list[_Row] = []

    def add(self, row: _Row) -> None:
        """Compares an example with all, together with some others."""
        self._waiting.append(row)
        if len(self._waiting) == BLOCK:
            self._compare()

    def answers(self) -> list[str | None]:
        """The targets of the nearest."""
        if self._waiting:
            self._compare()
        return self._answers

    def _compare(self) -> None:
        met = self._centred(torch.stack([row.values for row in self._waiting]))  # [C, D]
        for start in range(0, len(self.ids), BLOCK):
            own = self._centred(self._asked[start : start + BLOCK])
            products = own @ met.T
            distances = own.square().sum(1)[:, None] + met.square().sum(1) - 2 * products
            least, which = (found.cpu() for found in distances.min(1))
            for row in (least < self._least[start : start + BLOCK]).nonzero().flatten().tolist():
                self._least[start + row] = least[row]
                self._answers[start + row] = self._waiting[int(which[row])].target
        self._waiting.clear()

    def _centred(self, rows: Tensor) -> Tensor:
        return rows.to(self._device).float() - self._centre


def _by_shape(asked: Dataset) -> dict[Shape, list[int]]:
    groups: dict[Shape, list[int]] = {}
    for id_ in range(len(asked)):
        groups.setdefault(_shape(_features(asked, id_)), []).append(id_)
    return groups


def _features(asked: Dataset, id_: int) -> dict[str, Tensor]:
    batch = asked.collate([id_], seed=0, epoch=0, augment=False)
    return {slot: padded.values[0] for slot, padded in batch.inputs.items()}


def _shape(features: Mapping[str, Tensor]) -> Shape:
    return tuple((slot, tuple(values.shape)) for slot, values in features.items())


def _flat(features: Mapping[str, Tensor]) -> Tensor:
    return torch.cat([values.flatten() for values in features.values()])
