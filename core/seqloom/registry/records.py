"""The registry's frozen records; they import nothing and travel everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

RunKind = Literal["train", "evaluate", "decode", "import"]
RunStatus = Literal["running", "finished", "failed", "interrupted"]


@dataclass(frozen=True, kw_only=True)
class Score:
    """One figure about a model.

    Attributes:
        metric: ``bleu``, ``ppl``.
        value: On the scale its field reports it on.
        split: ``valid``, ``test``, or a file's name.
        step: Optimiser steps that the model had seen.
        signature: Everything that two scores must share to be compared.
        parts: The sums that it is made of, where its metric tells, as ``{"words": 773, "hits": 735, …}``;
            first what the others are counted over.
    """

    metric: str
    value: float
    split: str
    step: int
    signature: str
    parts: Mapping[str, int] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, kw_only=True)
class DataFile:
    """A file of data that a run read.

    Attributes:
        path: Relative to the data's root, or as it was given.
        sha256: Of its bytes: what tells it from others, whatever they are called.
        split: ``train``, ``valid``, ``test``; ``input`` for what was decoded; empty where it was not noted.
        bytes: Its size, None where it was not noted.
        rows: How many examples it has, None where nobody counted.
    """

    path: str
    sha256: str
    split: str = ""
    bytes: int | None = None
    rows: int | None = None


@dataclass(frozen=True, kw_only=True)
class Artefact:
    """A file or a folder that a run left.

    Attributes:
        run_id: The run.
        kind: ``checkpoint``, ``predictions``, ``samples``.
        path: Where it was left (absolute).
        sha256: Of its bytes; of a folder, of its manifest.
        bytes: Its size.
        created_at: UTC.
    """

    run_id: str
    kind: str
    path: str
    sha256: str
    bytes: int
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened in a run.

    Attributes:
        kind: One word: ``resumed``, ``skipped``, ``split``.
        at: UTC.
        details: What else there is to say, JSON-able.
    """

    kind: str
    at: datetime
    details: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, kw_only=True)
class Note:
    """What somebody wrote about a run or a model.

    Attributes:
        text: One line or several.
        at: UTC.
    """

    text: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class AliasChange:
    """That an alias was pointed to a version, or taken away.

    Attributes:
        name: The model.
        alias: The alias.
        version: What it points to since then, None for nothing.
        former: What it pointed to before, None for nothing.
        at: UTC.
    """

    name: str
    alias: str
    version: int | None
    former: int | None
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Run:
    """One training, evaluation, decoding or import.

    Attributes:
        id: Unique among all runs, and its folder's name.
        kind: What was done.
        status: How it stands.
        name: The job's name.
        task: The task's name.
        config: The resolved job, JSON-able.
        seed: Of everything random.
        device: ``cpu``, ``cuda:0``.
        device_reason: Why that device.
        versions: Of Python, torch, seqloom and each plugin's distribution.
        environment: The machine, as ``{"platform": …, "cpu": …, "cores": …, "command": …}``.
        git: ``commit``, ``branch`` and whether it is ``dirty``, of the repository in which the job lies;
            empty outside of one.
        data: The data files that it read, by split and path.
        folder: Where its files are; empty for a run without.
        model: URI of the model it made or used, None for none.
        started_at: UTC.
        ended_at: UTC, None while it runs.
        error: What ended it, None where it ended well.
        scores: All of them, oldest first.
        tags: What somebody said of it, by key.
        notes: What somebody wrote about it, oldest first.
        deleted_at: When it was deleted, None where it was not.
        purged_at: When its files were removed, None where they were not.
    """

    id: str
    kind: RunKind
    status: RunStatus
    name: str
    task: str
    config: Mapping[str, Any]
    seed: int
    device: str
    device_reason: str
    versions: Mapping[str, str]
    data: tuple[DataFile, ...]
    folder: str
    model: str | None
    started_at: datetime
    ended_at: datetime | None
    error: str | None
    environment: Mapping[str, str] = field(default_factory=dict, hash=False)
    git: Mapping[str, str] = field(default_factory=dict, hash=False)
    scores: tuple[Score, ...] = field(default=())
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    notes: tuple[Note, ...] = field(default=())
    deleted_at: datetime | None = None
    purged_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Model:
    """One version of a registered model.

    Attributes:
        name: Shared by all its versions.
        version: 1, 2, 3 … without gaps.
        task: The task's name.
        run_id: The run that made it, None where it came from elsewhere.
        folder: Its files (absolute).
        sha256: Of the folder's ``manifest.json``, which holds the hash of each file.
        aliases: Names that point to this version now.
        created_at: UTC.
        scores: Those of its best checkpoint.
        tags: What somebody said of it, by key.
        notes: What somebody wrote about it, oldest first.
        deleted_at: When it was deleted, None where it was not.
        purged_at: When its folder was removed, None where it was not.
    """

    name: str
    version: int
    task: str
    run_id: str | None
    folder: str
    sha256: str
    aliases: tuple[str, ...]
    created_at: datetime
    scores: tuple[Score, ...] = field(default=())
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    notes: tuple[Note, ...] = field(default=())
    deleted_at: datetime | None = None
    purged_at: datetime | None = None

    @property
    def uri(self) -> str:
        """``models:/name/3``."""
        return f"models:/{self.name}/{self.version}"


@dataclass(frozen=True, kw_only=True)
class LineageNode:
    """A part of a lineage.

    Attributes:
        id: Unique, and the same at each look: ``run:ID``, ``models:/name/3`` (``runs:/ID`` for a model that
            was used and is not registered), ``data:SHA256``; ``checkpoint:RUN/PATH`` and ``file:RUN/PATH``
            for what runs left, with the path in the run's folder, or the absolute one; ``more:…`` for what
            is not shown.
        kind: ``data``, ``run``, ``checkpoint``, ``model``, ``predictions`` or another kind of artefact;
            ``more`` for what is not shown.
        label: A few words.
        details: What else is known of it, by name; ``deleted`` and ``purged`` say when it was.
    """

    id: str
    kind: str
    label: str
    details: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, kw_only=True)
class Lineage:
    """What something came from, and what it led to.

    Attributes:
        nodes: In the order data, runs, checkpoints, models, what runs left; within these by id, but data by
            path.
        edges: Ids of a node and of one that came from it, sorted as the nodes are.
        about: The id of the node that was asked about.
    """

    nodes: tuple[LineageNode, ...]
    edges: tuple[tuple[str, str], ...]
    about: str
