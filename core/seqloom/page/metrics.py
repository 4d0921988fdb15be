"""What does a run's ``metrics.jsonl`` say so far? Read once, and then only what was added."""

from __future__ import annotations

import itertools
import json
import math
import os
import threading
from array import array
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

CHUNK_BYTES: Final = 1 << 22
LONGEST_LINE: Final = 1 << 20
"""A file whose lines are longer is none of ours; the rest of it is not read."""
MOST_POINTS: Final = 1 << 18  # of a series; where it has more, it is thinned
MOST_SERIES: Final = 200
MOST_EVENTS: Final = 500
KEPT: Final = 8  # logs in memory
BIG_BYTES: Final = 1 << 19
"""Reading more than that takes longer than a page may."""


class Series:
    """Values by steps, in the order in which they were written."""

    def __init__(self) -> None:
        self.steps = array("d")
        self.values = array("d")

    def add(self, step: float, value: float) -> None:
        """Adds a point."""
        self.steps.append(step)
        self.values.append(value)
        if len(self.steps) >= MOST_POINTS:
            points = thinned(self, MOST_POINTS // 2)
            self.steps = array("d", [step for step, _ in points])
            self.values = array("d", [value for _, value in points])


def thinned(series: Series, most: int) -> list[tuple[float, float]]:
    """At most so many points, which look like all of them.

    Of each stretch of equally many points the lowest and the highest are kept, so no peak is lost; the
    first and the last point always are.
    """
    count = len(series.steps)
    if count <= most:
        return list(zip(series.steps, series.values, strict=True))
    stretches = max(1, (most - 2) // 2)
    edges = [count * stretch // stretches for stretch in range(stretches + 1)]
    values = np.array(series.values)  # a copy: a view would forbid to add points
    kept = {0, count - 1}
    for first, end in itertools.pairwise(edges):
        stretch = values[first:end]
        kept |= {first + int(stretch.argmin()), first + int(stretch.argmax())}
    return [(series.steps[place], series.values[place]) for place in sorted(kept)]


@dataclass
class Log:
    """What a file says so far.

    Attributes:
        training: Series of what training says of itself: loss, its parts, learning rate and so on.
        scores: Series of each metric.
        events: What was unusual, newest last.
        unread: Lines that are none of ours.
        last: The newest line that tells of training.
    """

    training: dict[str, Series] = field(default_factory=dict)
    scores: dict[str, Series] = field(default_factory=dict)
    events: list[Mapping[str, Any]] = field(default_factory=list)
    unread: int = 0
    last: Mapping[str, float] = field(default_factory=dict)
    _offset: int = 0
    _file: tuple[int, int] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def read(self, file: Path | None) -> Iterator[Log]:
        """Reads on, and holds still while the block looks; nothing is read of None."""
        with self._lock:
            if file is not None:
                self._read_on(file)
            yield self

    def _read_on(self, file: Path) -> None:
        """Reads what was added; from the start where it is another file, as a resumed training makes."""
        with file.open("rb") as stream:
            found = stream_state(stream.fileno())
            if found.file != self._file or found.size < self._offset:
                self._forget()
            self._file = found.file
            stream.seek(self._offset)
            rest = b""
            while chunk := stream.read(CHUNK_BYTES):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    self._offset += len(line) + 1
                    self._take(line)
                if len(rest) > LONGEST_LINE:
                    self.unread += 1
                    return

    def waiting(self, file: Path) -> int:
        """How many bytes there are to read."""
        return max(0, file.stat().st_size - self._offset)

    def _forget(self) -> None:
        self.training, self.scores, self.events, self.last = {}, {}, [], {}
        self.unread = self._offset = 0

    def _take(self, line: bytes) -> None:
        try:
            record = json.loads(line)
            step = float(record["step"])
            if not math.isfinite(step):
                raise ValueError(step)
        except (ValueError, TypeError, LookupError, RecursionError, OverflowError):
            self.unread += 1
            return
        scores = record.get("scores")
        if isinstance(scores, dict):
            self._add(self.scores, step, scores)
        elif "event" in record:
            self.events.append(record)
            del self.events[:-MOST_EVENTS]
        elif len(record) > 1:
            figures = {name: value for name, value in record.items() if name != "step"}
            self._add(self.training, step, figures)
            self.last = {name: value for name, value in record.items() if is_figure(value)}

    def _add(self, to: dict[str, Series], step: float, figures: Mapping[str, Any]) -> None:
        for name, value in figures.items():
            if not is_figure(value):
                continue
            if name not in to:
                if len(to) == MOST_SERIES:
                    continue
                to[name] = Series()
            to[name].add(step, float(value))


@dataclass(frozen=True)
class FileState:
    """What tells a file from another of its name, and how long it is."""

    file: tuple[int, int]
    size: int


def stream_state(descriptor: int) -> FileState:
    """Of an open file."""
    found = os.fstat(descriptor)
    return FileState((found.st_dev, found.st_ino), found.st_size)


def is_figure(value: Any) -> bool:
    """Whether a value can be drawn."""
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and abs(value) < 1e300
        and math.isfinite(value)
    )


class Logs:
    """The logs read last, by file; for several threads."""

    def __init__(self) -> None:
        self._logs: OrderedDict[Path, Log] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, file: Path) -> Log:
        """The log of a file, as far as it has been read."""
        with self._lock:
            log = self._logs.setdefault(file, Log())
            self._logs.move_to_end(file)
            while len(self._logs) > KEPT:
                self._logs.popitem(last=False)
            return log
