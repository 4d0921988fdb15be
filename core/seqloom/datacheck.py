"""What is wrong with a job's data, before a training finds out? Lengths, repeats, leaks and odd pairs."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqloom.build import Builder, Kit
from seqloom.data.features import FeatureReader, PlaceList, Places
from seqloom.data.manifest import Examples
from seqloom.data.skipping import Skips, ignore
from seqloom.jobfile import Job
from seqloom.progress import Tell, unwatched

SPLITS = ("train", "valid", "test")
UNEQUAL = 9
"""Times that a slot of tokens is longer than another: the limit of Moses' ``clean-corpus-n``."""
SHOWN = 3
"""Examples that a finding names."""

Hashes = NDArray[np.uint64]


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
class Finding:
    """Something that may be wrong.

    Attributes:
        split: Of which examples.
        kind: What it is.
        count: How many examples it is true of.
        first: Where the first of them are.
    """

    split: str
    kind: str
    count: int
    first: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class DataReport:
    """What :func:`check_data` saw."""

    lengths: tuple[Lengths, ...]
    findings: tuple[Finding, ...]


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
    scans = [_scan(name, examples(name, f"looking at {name}"), builder, kit) for name in splits]
    findings = [found for scan in scans for found in _findings(scan, job.config.data.max_length)]
    findings += [found for first, second in combinations(scans, 2) for found in _shared(first, second)]
    return DataReport(
        lengths=tuple(
            _lengths(scan.name, slot, found) for scan in scans for slot, found in scan.lengths.items()
        ),
        findings=tuple(found for found in findings if found.count),
    )


# Reading -----------------------------------------------------------------------------------------------


class _Scan(NamedTuple):
    """What is kept of each of a split's N examples.

    Attributes:
        name: The split.
        place: Where each is.
        bad: Those that cannot be used, not among the N.
        lengths: [N] positions of each slot.
        unknown: [N] unknown tokens of each slot of tokens.
        whole: [N] hashes of all raw slots.
        inputs: [N] hashes of the raw input slots.
    """

    name: str
    place: Places
    bad: Skips
    lengths: Mapping[str, NDArray[np.int64]]
    unknown: Mapping[str, NDArray[np.int64]]
    whole: Hashes
    inputs: Hashes


def _scan(name: str, examples: Examples, builder: Builder, kit: Kit) -> _Scan:
    reader = FeatureReader(kit.modalities, kit.task.read_target, from_files=kit.from_files)
    bad = Skips()
    unknown_ids = {slot: kit.tokenizers[own].vocabulary.unk for slot, own in builder.token_slots().items()}
    places, lines = PlaceList(), array("q")
    lengths = {slot: array("q") for slot in reader.slots}
    unknown = {slot: array("q") for slot in unknown_ids}
    whole, inputs = array("Q"), array("Q")
    for located, features in reader.read(examples.located(bad), bad):
        lines.append(places.add(len(lines), located))
        for slot, values in features.items():
            lengths[slot].append(len(values))
        for slot, id_ in unknown_ids.items():
            unknown[slot].append(int((features[slot] == id_).sum()))
        raw = located.example.inputs
        inputs.append(_hash(raw))
        whole.append(_hash({**raw, "": located.example.target}))
    return _Scan(
        name,
        Places(lines, places.firsts),
        bad,
        {slot: np.array(found, dtype=np.int64) for slot, found in lengths.items()},
        {slot: np.array(found, dtype=np.int64) for slot, found in unknown.items()},
        np.array(whole, dtype=np.uint64),
        np.array(inputs, dtype=np.uint64),
    )


def _hash(texts: Mapping[str, Any]) -> int:
    digest = hashlib.blake2b(repr(sorted(texts.items())).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


# Findings ----------------------------------------------------------------------------------------------


def _lengths(split: str, slot: str, lengths: NDArray[np.int64]) -> Lengths:
    """Nearest ranks: each figure is the length of some example."""
    quantiles: Sequence[int] = [0] * 5
    if len(lengths):
        quantiles = np.quantile(lengths, [0, 0.5, 0.95, 0.99, 1], method="inverted_cdf").tolist()
    names = ("least", "median", "p95", "p99", "most")
    return Lengths(
        split=split, slot=slot, examples=len(lengths), **dict(zip(names, quantiles, strict=True))
    )


def _findings(scan: _Scan, max_length: int | None) -> Iterator[Finding]:
    yield Finding(split=scan.name, kind="cannot be used", count=scan.bad.count, first=tuple(scan.bad.first))
    repeated = np.ones(len(scan.whole), dtype=bool)
    repeated[np.unique(scan.whole, return_index=True)[1]] = False
    yield _finding(scan, "repeats an earlier one", repeated)
    tokens = [scan.lengths[slot] for slot in scan.unknown]
    if len(tokens) > 1:
        longest, shortest = np.max(tokens, axis=0), np.min(tokens, axis=0)
        yield _finding(
            scan, f"slots differ in length more than {UNEQUAL} times", longest > UNEQUAL * shortest
        )
    for slot, unknown in scan.unknown.items():
        yield _finding(scan, f"tokens of {slot} outside the vocabulary", unknown > 0)
    if scan.name == "train" and max_length is not None:
        too_long = np.max(list(scan.lengths.values()), axis=0) > max_length
        yield _finding(scan, "longer than data.max_length", too_long)


def _shared(first: _Scan, second: _Scan) -> Iterator[Finding]:
    """What a later split has that an earlier one has, too."""
    whole = np.isin(second.whole, first.whole)
    yield _finding(second, f"is in {first.name}, too", whole)
    yield _finding(
        second,
        f"inputs are in {first.name}, with another target",
        np.isin(second.inputs, first.inputs) & ~whole,
    )


def _finding(scan: _Scan, kind: str, is_so: NDArray[np.bool_]) -> Finding:
    """A finding that is true of some examples, [N]."""
    ids = np.flatnonzero(is_so)
    first = tuple(scan.place(id_) for id_ in ids[:SHOWN].tolist())
    return Finding(split=scan.name, kind=kind, count=len(ids), first=first)
