"""Which charts are there of a run, or of several, and what is drawn in each?

A chart is data here; ``charts.js`` draws it, at the width that there is.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from seqloom.page.metrics import Log, Series, thinned
from seqloom.registry.records import Run, Score

POINTS: Final = 400  # of a curve: about one a pixel
Form = Literal["plain", "small", "whole", "size", "percent"]

OF_TRAINING: Final[Mapping[str, tuple[str, Form]]] = {
    "learning_rate": ("Learning rate", "small"),
    "targets_per_second": ("Throughput, targets a second", "whole"),
    "peak_memory_bytes": ("Memory, most so far", "size"),
    "gradient_norm": ("Gradient norm", "plain"),
    "data_wait": ("Waiting for data", "percent"),
}
"""What a line of training says besides the loss and its parts."""
SHARES: Final[Mapping[str, str]] = {"correct": "Correct, of targets", "unaligned": "Unaligned, of targets"}
"""Parts that are no losses: shares of the targets."""
NOT_DRAWN: Final = frozenset({"epoch"})
LOSS: Final = "Loss"


@dataclass(frozen=True)
class Curve:
    """One line of a chart: a name, and points of steps and values."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Chart:
    """Curves over steps.

    Attributes:
        title: What is drawn.
        curves: Each its own colour and dashes, in this order.
        form: How values are written.
    """

    title: str
    curves: Sequence[Curve] = field(default=())
    form: Form = "plain"

    @property
    def is_worth_it(self) -> bool:
        """Whether there is more to see than a point."""
        return any(len(curve.points) > 1 for curve in self.curves)

    @property
    def key(self) -> str:
        """What tells it from the others of its page, whatever its title holds."""
        return hashlib.sha256(self.title.encode("utf-8", "replace")).hexdigest()[:12]

    @property
    def data(self) -> str:
        """As ``charts.js`` reads it: JSON."""
        return json.dumps(
            {
                "title": self.title,
                "form": self.form,
                "curves": [
                    {"name": curve.name, "points": [[_short(x), _short(y)] for x, y in curve.points]}
                    for curve in self.curves
                ],
            },
            separators=(",", ":"),
        )


def charts_of(run: Run, log: Log) -> list[Chart]:
    """The charts of a run: loss first, then its scores, then how the training went.

    What its file does not say (it may be gone, or there never was one), the scores of the registry do.
    """
    return [chart for chart in overlaid([("", run, log)]) if chart.is_worth_it]


def overlaid(several: Sequence[tuple[str, Run, Log]]) -> list[Chart]:
    """The charts of several runs in one: a curve a run, or several where there are parts of a loss.

    Args:
        several: What each is called, the run, and what its file says.
    """
    losses: list[Curve] = []
    scores: dict[str, list[Curve]] = {}
    others: dict[str, list[Curve]] = {}
    for label, run, log in several:
        for name, series in log.training.items():
            if name in OF_TRAINING or name in SHARES:
                others.setdefault(name, []).append(_curve(label or name, series))
            elif name in NOT_DRAWN:
                continue
            elif name == "loss" or not label:  # parts would crowd the chart of several
                losses.append(_curve(label or name, series))
        for name, named in _scores(run, log).items():
            scores.setdefault(name, []).append(Curve(label or name, named))
    charts = [Chart(LOSS, losses)]
    charts += [Chart(name, curves) for name, curves in scores.items()]
    charts += [Chart(title, others.get(name, []), "percent") for name, title in SHARES.items()]
    for name, (title, form) in OF_TRAINING.items():
        charts.append(Chart(title, others.get(name, []), form))
    return charts


def _scores(run: Run, log: Log) -> Mapping[str, Sequence[tuple[float, float]]]:
    if log.scores:
        return {name: thinned(series, POINTS) for name, series in sorted(log.scores.items())}
    return scores_by_step(run.scores)


def scores_by_step(scores: Iterable[Score]) -> Mapping[str, Sequence[tuple[float, float]]]:
    """Each metric of the registry that was measured more than once, by step."""
    found: dict[str, Series] = {}
    for score in sorted(scores, key=lambda score: (score.metric, score.step)):
        if not math.isnan(score.value):
            found.setdefault(score.metric, Series()).add(score.step, score.value)
    return {name: thinned(series, POINTS) for name, series in found.items() if len(series.steps) > 1}


def _curve(name: str, series: Series) -> Curve:
    return Curve(name, thinned(series, POINTS))


def _short(value: float) -> Any:
    """A number in few characters: six digits are more than a screen shows."""
    rounded = float(f"{value:.6g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded
