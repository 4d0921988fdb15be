"""What a look at a job's data finds, as records."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Lengths:
    """How long one slot of a split is, in positions: tokens, frames."""

    split: str
    slot: str
    examples: int
    least: int
    median: int
    p95: int
    p99: int
    most: int


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a modality measured of one slot of a split.

    Attributes:
        split: Of which examples.
        slot: Of which of their inputs.
        measure: What, with its unit.
        inputs: How many there are; one that several examples beside each other share counts once.
        total: Of all of them; None where that says nothing.
        least: The smallest; likewise ``median`` and ``most``.
    """

    split: str
    slot: str
    measure: str
    inputs: int
    total: float | None
    least: float
    median: float
    most: float


@dataclass(frozen=True, kw_only=True)
class Tagged:
    """How many examples of a split the values of a tag have.

    Attributes:
        split: Of which examples.
        tag: Its name: ``speaker``.
        values: How many different ones there are.
        least: Examples of the value that has fewest; likewise ``median`` and ``most``.
    """

    split: str
    tag: str
    values: int
    least: int
    median: int
    most: int


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that may be wrong.

    Attributes:
        split: Of which examples.
        kind: What it is.
        count: How many examples it is true of.
        first: Where the first of them are, or the worst; with what makes them so.
    """

    split: str
    kind: str
    count: int
    first: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class DataReport:
    """All of it."""

    lengths: tuple[Lengths, ...]
    measures: tuple[Measured, ...]
    tags: tuple[Tagged, ...]
    findings: tuple[Finding, ...]
