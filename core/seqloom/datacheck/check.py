"""All splits of a job, each looked at alone and beside the others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seqloom.build import Builder
from seqloom.data.manifest import Examples
from seqloom.data.skipping import ignore
from seqloom.datacheck.report import DataReport, Finding, Lengths, Tagged
from seqloom.datacheck.scan import UNTAGGED, Scan, scan
from seqloom.jobfile import Job
from seqloom.progress import Tell, unwatched

SPLITS: Final = ("train", "valid", "test")
UNEQUAL: Final = 9
"""Times that a slot of tokens is longer than another: the limit of Moses' ``clean-corpus-n``."""
SHOWN: Final = 3
"""Examples that a finding names."""


def check_data(
    job: Job, builder: Builder, watch: Callable[[str], AbstractContextManager[Tell]] = lambda _: unwatched()
) -> DataReport:
    """Reads all splits of a job as a training would, its tokenizers fitted on ``data.train``.

    Args:
        job: What to read.
        builder: Builds its parts.
        watch: Shows how far a pass over files has come; is told what it is for.

    Raises:
        DataError: A file is missing, or nobody can tell where its examples begin.
    """
    splits = {name: split for name in SPLITS if (split := getattr(job.config.data, name)) is not None}

    def examples(name: str, doing: str) -> Examples:
        watched = partial(watch, doing)
        return Examples(splits[name], job.root, builder.slots(), ignore, watched, apart=name == "train")

    kit = builder.kit(builder.fit_tokenizers(examples("train", "reading for tokenizers")))
    scans = [scan(name, examples(name, f"looking at {name}"), builder, kit) for name in splits]
    findings = [found for one in scans for found in _findings(one, job.config.data.max_length)]
    findings += [found for one in scans for found in _odd(one, kit.from_files, f"{job.root.resolve()}/")]
    findings += [found for first, second in combinations(scans, 2) for found in _shared(first, second)]
    measures = (series.measured(one.name) for one in scans for series in one.measuring)
    return DataReport(
        lengths=tuple(
            _lengths(one.name, slot, found) for one in scans for slot, found in one.lengths.items()
        ),
        measures=tuple(measured for measured in measures if measured is not None),
        tags=tuple(_tagged(one, tag) for one in scans for tag in one.tags),
        findings=tuple(found for found in findings if found.count),
    )


# Sums --------------------------------------------------------------------------------------------------


def _lengths(split: str, slot: str, lengths: NDArray[np.int64]) -> Lengths:
    """Nearest ranks: each figure is the length of some example."""
    quantiles: Sequence[int] = [0] * 5
    if len(lengths):
        quantiles = np.quantile(lengths, [0, 0.5, 0.95, 0.99, 1], method="inverted_cdf").tolist()
    names = ("least", "median", "p95", "p99", "most")
    return Lengths(
        split=split, slot=slot, examples=len(lengths), **dict(zip(names, quantiles, strict=True))
    )


def _tagged(of: Scan, tag: str) -> Tagged:
    values = of.tags[tag]
    numbers = values.of(len(of.whole))
    counts = np.bincount(numbers[numbers != UNTAGGED])
    least, median, most = np.quantile(counts, [0, 0.5, 1], method="inverted_cdf").tolist()
    return Tagged(split=of.name, tag=tag, values=len(values.names), least=least, median=median, most=most)


# Findings ----------------------------------------------------------------------------------------------


def _findings(of: Scan, max_length: int | None) -> Iterator[Finding]:
    yield Finding(split=of.name, kind="cannot be used", count=of.bad.count, first=tuple(of.bad.first))
    repeated = np.ones(len(of.whole), dtype=bool)
    repeated[np.unique(of.whole, return_index=True)[1]] = False
    yield _finding(of, "repeats an earlier one", repeated)
    tokens = [of.lengths[slot] for slot in of.unknown]
    if len(tokens) > 1:
        longest, shortest = np.max(tokens, axis=0), np.min(tokens, axis=0)
        yield _finding(
            of, f"slots differ in length more than {UNEQUAL} times", longest > UNEQUAL * shortest
        )
    for slot, unknown in of.unknown.items():
        yield _finding(of, f"tokens of {slot} outside the vocabulary", unknown > 0)
    if of.name == "train" and max_length is not None:
        too_long = np.max(list(of.lengths.values()), axis=0) > max_length
        yield _finding(of, "longer than data.max_length", too_long)


def _odd(of: Scan, from_files: Collection[str], root: str) -> Iterator[Finding]:
    """What modalities call odd, the worst inputs first; of files, their names."""
    for series in of.measuring:
        worst = []
        for one in series.worst:
            name = f": {one.raw.removeprefix(root)}" if series.slot in from_files else ""
            worst.append(f"{of.place(one.id)}{name}: {series.measure.name} {one.value:.4g}")
        kind = f"{series.slot} is {series.measure.odd}"
        yield Finding(split=of.name, kind=kind, count=series.odd, first=tuple(worst))


def _shared(first: Scan, second: Scan) -> Iterator[Finding]:
    """What a later split has that an earlier one has, too."""
    whole = np.isin(second.whole, first.whole)
    yield _finding(second, f"is in {first.name}, too", whole)
    yield _finding(
        second,
        f"inputs are in {first.name}, with another target",
        np.isin(second.inputs, first.inputs) & ~whole,
    )
    for tag in second.tags:
        if tag in first.tags:
            yield _shared_values(tag, first, second)


def _shared_values(tag: str, first: Scan, second: Scan) -> Finding:
    """Examples of a split whose value of a tag an earlier split has, too; the first of each such value."""
    theirs, names = set(first.tags[tag].names), second.tags[tag].names
    numbers = second.tags[tag].of(len(second.whole))
    shared = [number for number, name in enumerate(names) if name in theirs]
    places = (second.place(int(np.argmax(numbers == number))) for number in shared[:SHOWN])
    return Finding(
        split=second.name,
        kind=f"{tag} is in {first.name}, too",
        count=int(np.isin(numbers, shared).sum()),
        first=tuple(f"{place}: {names[number]}" for place, number in zip(places, shared, strict=False)),
    )


def _finding(of: Scan, kind: str, is_so: NDArray[np.bool_]) -> Finding:
    """A finding that is true of some examples, [N]."""
    ids = np.flatnonzero(is_so)
    first = tuple(of.place(id_) for id_ in ids[:SHOWN].tolist())
    return Finding(split=of.name, kind=kind, count=len(ids), first=first)
