"""What differs between runs or models? A function of frozen records; no database is asked.

Two scores are set side by side only where they are of the same metric, split and signature, and were not
counted over different data; any other difference between figures says nothing.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seqloom.errors import UsageError
from seqloom.registry.records import DataFile, Run, Score
from seqloom.registry.ways import ALWAYS_KNOWN


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A score, and what it was counted over.

    Attributes:
        score: The score.
        data: The sha256 of each file of its split, sorted; nothing where that was not noted.
    """

    score: Score
    data: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is compared.

    Attributes:
        name: A run's id or a model's URI.
        run: The run, or the one that made the model; None where nobody knows it.
        scores: A run's own; a model's own, and those of the runs that evaluated it. Of those of one step
            the newest comes last.
    """

    name: str
    run: Run | None
    scores: tuple[Measured, ...] = ()

    @classmethod
    def of(cls, run: Run) -> Subject:
        """A run as such."""
        return cls(name=run.id, run=run, scores=measured(run.scores, run.data))


def measured(scores: Iterable[Score], data: Sequence[DataFile]) -> tuple[Measured, ...]:
    """A run's scores, with the files that it read for the splits of these."""
    by_split: dict[str, set[str]] = defaultdict(set)
    for file in data:
        by_split[file.split].add(file.sha256)
    return tuple(Measured(score=one, data=tuple(sorted(by_split.get(one.split, ())))) for one in scores)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a subject stands by a score.

    Attributes:
        last: The score after the most steps.
        best: The best; None where nobody knows which way is better.
    """

    last: Score
    best: Score | None


@dataclass(frozen=True, kw_only=True)
class Beside:
    """A score of at least two subjects, side by side.

    Attributes:
        metric: What was measured.
        split: On what.
        signature: How.
        higher_is_better: Which way is better; None where nobody knows.
        standings: Of each subject; None of one that has no such score.
        differences: Of each subject's last value from the first subject's; None where either has none.
    """

    metric: str
    split: str
    signature: str
    higher_is_better: bool | None
    standings: tuple[Standing | None, ...]
    differences: tuple[float | None, ...]


@dataclass(frozen=True, kw_only=True)
class Apart:
    """A score that is not comparable.

    Attributes:
        subject: The position of whose it is.
        score: The one after the most steps.
        why: What the others lack, or have otherwise.
    """

    subject: int
    score: Score
    why: str


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A value that subjects do not have in common.

    Attributes:
        key: ``train.steps``; ``versions.torch``.
        values: Of each subject, of a configuration as JSON has it; None of one that lacks it or of which
            nothing is known.
    """

    key: str
    values: tuple[str | None, ...]


@dataclass(frozen=True, kw_only=True)
class DataDifference:
    """A file of data that subjects do not have in common.

    Attributes:
        split: What it was read for.
        path: What it is called.
        files: Of each subject; None of one that read no such file.
    """

    split: str
    path: str
    files: tuple[DataFile | None, ...]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What differs between subjects.

    Attributes:
        names: What they are called.
        unknown: Positions of those whose run nobody knows: only scores are known of them.
        scores: Those that can be compared, by split and metric.
        apart: Those that cannot, and why.
        config: Keys of the configurations.
        data: Files of data, by split and path.
        facts: What else: kind, device, ``versions.…``, ``environment.…``, ``git.…``.
        same_data: How many files all have in common.
    """

    names: tuple[str, ...]
    unknown: tuple[int, ...]
    scores: tuple[Beside, ...]
    apart: tuple[Apart, ...]
    config: tuple[Difference, ...]
    data: tuple[DataDifference, ...]
    facts: tuple[Difference, ...]
    same_data: int


Named = tuple[str, str, str]
Contents = Collection[tuple[str, ...]]
Key = tuple[str, str, str, tuple[str, ...]]
"""What scores must share: split, metric, signature, data."""


def compare(
    subjects: Sequence[Run | Subject], higher_is_better: Mapping[str, bool] | None = None
) -> Comparison:
    """Compares runs and models.

    Args:
        subjects: At least two; a run stands for itself, see :meth:`Subject.of`.
        higher_is_better: Which way is better, by metric, as far as it is known besides perplexity and
            accuracy. A score such as ``speaker=ann/wer`` goes by the name after its last ``/``.

    Raises:
        UsageError: There are fewer than two, or one is there twice.
    """
    given = [one if isinstance(one, Subject) else Subject.of(one) for one in subjects]
    names = tuple(one.name for one in given)
    if len(names) < 2:
        raise UsageError(f"nothing to compare: give at least two runs or models (found {len(names)})")
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"'{name}' is given twice; nothing of it differs from itself")
    ways = {**ALWAYS_KNOWN, **(higher_is_better or {})}
    runs = [one.run for one in given]
    known = [one for one in runs if one is not None]
    data, same_data = _data(runs) if len(known) > 1 else ([], 0)
    contents = _contents(given)
    tables = [_by_key(one.scores, contents) for one in given]
    return Comparison(
        names=names,
        unknown=tuple(position for position, run in enumerate(runs) if run is None),
        scores=tuple(_rows(tables, ways)),
        apart=tuple(_apart(tables)),
        config=tuple(_differences([None if run is None else flat(run.config) for run in runs])),
        data=tuple(data),
        facts=tuple(_differences([None if run is None else _facts(run) for run in runs])),
        same_data=same_data,
    )


# Scores ------------------------------------------------------------------------------------------------


def _by_key(scores: Sequence[Measured], known: Mapping[Named, Contents]) -> dict[Key, list[Score]]:
    """Scores that can be compared, by the step and as they came.

    Where nobody noted what one was counted over, it was that of all others like it, if these agree.
    """
    found: dict[Key, list[Score]] = defaultdict(list)
    for one in sorted(scores, key=lambda one: one.score.step):
        alike = known[_named(one)]
        data = next(iter(alike)) if not one.data and len(alike) == 1 else one.data
        found[(*_named(one), data)].append(one.score)
    return found


def _contents(subjects: Iterable[Subject]) -> Mapping[Named, Contents]:
    """What scores were counted over, as far as that is known, by split, metric and signature."""
    found: dict[Named, set[tuple[str, ...]]] = defaultdict(set)
    for one in (one for subject in subjects for one in subject.scores):
        found[_named(one)] |= {one.data} - {()}
    return found


def _named(one: Measured) -> Named:
    return one.score.split, one.score.metric, one.score.signature


def _rows(tables: Sequence[Mapping[Key, list[Score]]], ways: Mapping[str, bool]) -> Iterator[Beside]:
    for key in sorted({key for table in tables for key in table}):
        split, metric, signature, _ = key
        way = ways.get(metric.rpartition("/")[2])
        standings = [_standing(table[key], way) if key in table else None for table in tables]
        if sum(one is not None for one in standings) > 1:
            first = standings[0]
            yield Beside(
                metric=metric,
                split=split,
                signature=signature,
                higher_is_better=way,
                standings=tuple(standings),
                differences=tuple(
                    None if first is None or one is None else one.last.value - first.last.value
                    for one in standings
                ),
            )


def _standing(scores: Sequence[Score], higher_is_better: bool | None) -> Standing:
    if higher_is_better is None:
        return Standing(last=scores[-1], best=None)
    figures = [one for one in scores if one.value == one.value]
    pick = max if higher_is_better else min
    return Standing(last=scores[-1], best=pick(figures, key=lambda one: one.value, default=None))


def _apart(tables: Sequence[Mapping[Key, list[Score]]]) -> Iterator[Apart]:
    for position, table in enumerate(tables):
        others = [key for place, other in enumerate(tables) if place != position for key in other]
        for key in sorted(table):
            if key not in others:
                yield Apart(subject=position, score=table[key][-1], why=_why(key, others))


def _why(key: Key, others: Iterable[Key]) -> str:
    """Why a score has no counterpart, by those of the others."""
    split, metric, signature, data = key
    alike = [other for other in others if other[1] == metric]
    if not alike:
        return f"no other has {metric}"
    alike_splits = sorted({other[0] for other in alike})
    if split not in alike_splits:
        return f"the others have {metric} of {', '.join(alike_splits)}"
    alike = [other for other in alike if other[0] == split]
    if all(other[2] != signature for other in alike):
        signatures = sorted({other[2] for other in alike})
        return f"another signature: {'; '.join(signatures)}"
    return f"the files of {split} differ" if data else f"nobody noted which files {split} was"


# Everything else ---------------------------------------------------------------------------------------


def flat(config: Mapping[str, Any]) -> dict[tuple[str, ...], str]:
    """A configuration's values, as JSON has them, by their keys from the top down.

    Positions of a list are keys; without recursion, as nobody knows how deep a configuration is.
    """
    found: dict[tuple[str, ...], str] = {}
    waiting: list[tuple[tuple[str, ...], Any]] = [((), config)]
    while waiting:
        path, value = waiting.pop()
        within = dict(enumerate(value)) if isinstance(value, list | tuple) else value
        if isinstance(within, Mapping) and within:
            waiting += reversed([((*path, str(key)), item) for key, item in within.items()])
        elif path:
            found[path] = json.dumps(value, ensure_ascii=False, default=str)
    return found


def _facts(run: Run) -> dict[tuple[str, ...], str]:
    """What is known of a run besides configuration and data, as it is."""
    families = (("versions", run.versions), ("environment", run.environment), ("git", run.git))
    plain = {("kind",): str(run.kind), ("device",): run.device}
    return plain | {(name, key): value for name, facts in families for key, value in facts.items()}


def _differences(tables: Sequence[Mapping[tuple[str, ...], str] | None]) -> Iterator[Difference]:
    """Where those that are known differ, in the order in which keys come up."""
    known = [table for table in tables if table is not None]
    for path in dict.fromkeys(path for table in known for path in table):
        if len({table.get(path) for table in known}) > 1:
            values = tuple(None if table is None else table.get(path) for table in tables)
            yield Difference(key=".".join(path), values=values)


def _data(runs: Sequence[Run | None]) -> tuple[list[DataDifference], int]:
    """Files that not all have, and how many all have: for one split, under whatever name."""
    known = [run for run in runs if run is not None]
    contents = [{(file.split, file.sha256) for file in run.data} for run in known]
    same = set.intersection(*contents)
    tables = [
        {
            (file.split, file.path): file
            for file in (() if run is None else run.data)
            if (file.split, file.sha256) not in same
        }
        for run in runs
    ]
    names = sorted({name for table in tables for name in table})
    differences = [
        DataDifference(split=split, path=path, files=tuple(table.get((split, path)) for table in tables))
        for split, path in names
    ]
    return differences, len(same)
