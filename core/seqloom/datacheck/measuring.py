"""What modalities measure of inputs: how much there is of them, and which are odd."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Mapping
from heapq import nsmallest
from typing import Final, NamedTuple, final

import numpy as np
from torch import Tensor

from seqloom.datacheck.report import Measured
from seqloom.modality import Measure, Modality

WORST: Final = 3
"""Odd inputs that are kept, the worst ones."""


class OddInput(NamedTuple):
    """An input that is odd.

    Attributes:
        beyond: By how much.
        id: Which example has it.
        raw: What the data file says of it.
        value: What was measured.
    """

    beyond: float
    id: int
    raw: str
    value: float


@final
class Series:
    """One measure of all inputs of a slot.

    Attributes:
        slot: Which.
        measure: What is measured.
        odd: How many inputs are odd.
        worst: The worst of them first.
    """

    def __init__(self, slot: str, measure: Measure) -> None:
        self.slot = slot
        self.measure = measure
        self.odd = 0
        self.worst: list[OddInput] = []
        self._values = array("d")

    def add(self, id_: int, raw: str, value: float) -> None:
        """Takes what was measured of an input."""
        self._values.append(value)
        least, most = self.measure.least, self.measure.most
        below = -math.inf if least is None else least - value
        above = -math.inf if most is None else value - most
        beyond = max(below, above)
        if beyond > 0:
            self.odd += 1
            found = [*self.worst, OddInput(beyond, id_, raw, value)]
            self.worst = nsmallest(WORST, found, key=lambda odd: (-odd.beyond, odd.id))

    def measured(self, split: str) -> Measured | None:
        """All of it; None where nothing was measured."""
        if not self._values:
            return None
        values = np.array(self._values)
        return Measured(
            split=split,
            slot=self.slot,
            measure=self.measure.name,
            inputs=len(values),
            total=float(values.sum()) if self.measure.adds_up else None,
            least=float(values.min()),
            median=float(np.quantile(values, 0.5, method="inverted_cdf")),
            most=float(values.max()),
        )


@final
class Measuring:
    """Takes the measures of inputs as they are read.

    Args:
        modalities: Of each input slot.
    """

    def __init__(self, modalities: Mapping[str, Modality]) -> None:
        self._slots = {
            slot: (part, [Series(slot, measure) for measure in part.measures])
            for slot, part in modalities.items()
            if part.measures
        }
        self._last: dict[str, Tensor] = {}

    def __iter__(self) -> Iterator[Series]:
        for _, several in self._slots.values():
            yield from several

    def add(self, id_: int, inputs: Mapping[str, str], features: Mapping[str, Tensor]) -> None:
        """Measures an example's inputs.

        Args:
            id_: Which example.
            inputs: What the data file says of each slot.
            features: What was read of it; the very tensor of the example before where inputs are the same.
        """
        for slot, (modality, several) in self._slots.items():
            if features[slot] is self._last.get(slot):
                continue
            self._last[slot] = features[slot]
            for series, value in zip(several, modality.measure(features[slot]), strict=True):
                series.add(id_, inputs[slot], value)
