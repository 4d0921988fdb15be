"""Measures are summed up, and the worst of odd inputs kept."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch

from seqloom.datacheck.measuring import Measuring, OddInput, Series
from seqloom.datacheck.report import Measured
from seqloom.modality import Measure, Modality

AMOUNT = Measure(name="amount", adds_up=True)
PEAK = Measure(name="peak", least=-5.0, most=5.0, odd="strange")


class Numbers(Modality):
    measures = (AMOUNT, PEAK)

    def read(self, raw: str) -> torch.Tensor:
        return torch.tensor([float(word) for word in raw.split()])

    def measure(self, features: torch.Tensor) -> tuple[float, float]:
        return float(len(features)), float(features.max())

    def augment(self, features: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        raise NotImplementedError

    def frontend(self, width: int, embedding: Any) -> Any:
        raise NotImplementedError


class Silent(Numbers):
    measures = ()


def measured(*raws: str) -> Measuring:
    modalities = {"one": Numbers(), "other": Silent()}
    measuring = Measuring(modalities)
    last: dict[str, torch.Tensor] = {}
    for id_, raw in enumerate(raws):
        last = last if id_ and raw == raws[id_ - 1] else {"one": Numbers().read(raw)}
        measuring.add(id_, {"one": raw, "other": "x"}, {**last, "other": torch.zeros(3)})
    return measuring


def test_they_are_summed_up() -> None:
    found = [series.measured("valid") for series in measured("1 2", "3", "1 2 3 4", "0")]
    assert found == [
        Measured(
            split="valid",
            slot="one",
            measure="amount",
            inputs=4,
            total=8.0,
            least=1.0,
            median=1.0,
            most=4.0,
        ),
        Measured(
            split="valid", slot="one", measure="peak", inputs=4, total=None, least=0.0, median=2.0, most=4.0
        ),
    ]


def test_an_input_that_examples_share_counts_once() -> None:
    (amount, _) = measured("1 2", "1 2", "3", "1 2", "1 2")
    summed = amount.measured("train")
    assert summed is not None
    assert (summed.inputs, summed.total) == (3, 5.0)


def test_a_split_without_inputs_has_none() -> None:
    assert [series.measured("valid") for series in measured()] == [None, None]


def test_the_worst_come_first_the_earlier_of_equals_before() -> None:
    (amount, peak) = measured("6", "0", "-9", "-7", "5", "-5", "5.5", "7", "-5.001")
    assert (amount.odd, amount.worst) == (0, [])
    assert peak.odd == 6
    assert [(odd.id, odd.raw, odd.value) for odd in peak.worst] == [
        (2, "-9", -9.0),
        (3, "-7", -7.0),
        (7, "7", 7.0),
    ]


@pytest.mark.parametrize("limits", [{"least": 0.2}, {"most": 0.8}, {"least": 0.4, "most": 0.6}])
def test_odd_are_those_beyond_a_limit(limits: dict[str, float]) -> None:
    values = [random.Random(3).random() for _ in range(1)] + [random.Random(n).random() for n in range(99)]
    series = Series("one", Measure(name="x", odd="odd", **limits))
    for id_, value in enumerate(values):
        series.add(id_, "", value)
    least, most = limits.get("least", 0.0), limits.get("most", 1.0)
    wanted = [
        OddInput(max(least - value, value - most), id_, "", value)
        for id_, value in enumerate(values)
        if not least <= value <= most
    ]
    assert series.odd == len(wanted) > 3
    assert [odd.id for odd in series.worst] == [
        odd.id for odd in sorted(wanted, key=lambda odd: (-odd.beyond, odd.id))[:3]
    ]
