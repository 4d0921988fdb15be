"""The registry's frozen records; they import nothing and travel everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

RunKind = Literal["train", "evaluate", "decode"]
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
class Run:
    """One training, evaluation or decoding.

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
        versions: Of Python, torch, seqloom and each plugin's distribution; ``git`` where there is one.
        data: sha256 of each data file read, by its path relative to the data's root.
        folder: Where its files are; empty for a run without.
        model: URI of the model it made or used, None for none.
        started_at: UTC.
        ended_at: UTC, None while it runs.
        error: What ended it, None where it ended well.
        scores: All of them, oldest first.
        tags: What somebody said of it, by key.
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
    data: Mapping[str, str]
    folder: str
    model: str | None
    started_at: datetime
    ended_at: datetime | None
    error: str | None
    scores: tuple[Score, ...] = field(default=())
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)


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

    @property
    def uri(self) -> str:
        """``models:/name/3``."""
        return f"models:/{self.name}/{self.version}"
