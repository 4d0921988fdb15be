"""How good are answers that take no model? The nearest training example's target, the commonest, others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple, final

import torch
from torch import Tensor

from seqloom.data.dataset import Dataset
from seqloom.data.features import FeatureReader
from seqloom.data.manifest import Located
from seqloom.data.skipping import Refuse, refuse
from seqloom.errors import DataError
from seqloom.task import Baseline, Example

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
    others: Mapping[str, Baseline] = MappingProxyType({}),
    bad: Refuse = refuse,
    device: torch.device | str = "cpu",
) -> dict[str, list[str]]:
    """What each baseline answers to each example.

    ``frequent`` is :class:`Frequent` of all that there are.
    ``nearest`` gives the target of the training example whose features, as batches have them, have the
    least sum of squared differences to those asked of; the most frequent one where none has their shape.

    Args:
        names: ``nearest``, ``frequent``, or one of ``others``.
        asked: Examples to answer, in memory.
        training: Examples to answer with; one with several targets answers with its first.
        reader: Reads their inputs.
        others: Baselines that know nothing yet, by name.
        bad: Is told of training examples that cannot be used.
        device: Where to compare.

    Returns:
        For each name, a text for each example.

    Raises:
        DataError: An example lacks what a baseline's answer depends on.
    """
    told = {"frequent": Frequent(), **others}
    learned = _learned(training, list(told.values()))
    found: list[str | None] = [None] * len(asked)
    if "nearest" in names:
        found = _nearest(asked, reader.read(learned, bad), device)
    for _ in learned:  # what nobody had to read
        pass
    questions = [example._replace(target=None, references=[]) for example in asked.examples]
    answers = {name: [one.answer(example) for example in questions] for name, one in told.items()}
    nearest = zip(found, answers["frequent"], strict=True)
    answers["nearest"] = [frequent if text is None else text for text, frequent in nearest]
    return {name: answers[name] for name in names}


def _learned(training: Iterable[Located], baselines: Sequence[Baseline]) -> Iterator[Located]:
    """The training examples, as each baseline is told of them."""
    for located in training:
        for baseline in baselines:
            baseline.learn(located.example)
        yield located


@final
class Frequent(Baseline):
    """Always the target that training has most often, the first of several such.

    Args:
        by: A tag: the target most frequent among examples of the same value of it; that of all for a value
            that training lacks.
    """

    def __init__(self, by: str | None = None) -> None:
        self._by = by
        self._counts: dict[str | None, Counter[str]] = {None: Counter()}  # by the tag's value, None for all
        self._best: dict[str | None, str] = {}

    def learn(self, example: Example) -> None:
        for value in {None, self._value(example)}:
            self._counts.setdefault(value, Counter()).update(example.references)

    def answer(self, example: Example) -> str:
        value = self._value(example)
        value = value if value in self._counts else None
        if value not in self._best:
            counts = self._counts[value]
            self._best[value] = max(counts, key=counts.__getitem__, default="")
        return self._best[value]

    def _value(self, example: Example) -> str | None:
        if self._by is None:
            return None
        if self._by not in example.tags:
            raise DataError(
                f"a baseline takes the most frequent target of each {self._by}, and there is no such tag: "
                "name its column under `tags` of data.train and of what is evaluated"
            )
        return example.tags[self._by]


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
