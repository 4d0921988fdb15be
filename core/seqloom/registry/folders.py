"""What run folders tell of their runs: by the record in each, or, where they are older, by their files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Any, Final

from seqloom.errors import CorruptError, StorageError
from seqloom.registry import mirror
from seqloom.registry.mirror import MadeModel, RunRecord
from seqloom.registry.records import DataFile, Model, Run, RunStatus, Score

WAITING: Final = "registry.jsonl"
"""What a training could not tell the registry yet."""
MANIFEST: Final = "manifest.json"
ID_MOMENT: Final = "%Y%m%d-%H%M%S"
NOT_KNOWN: Final = 0
"""A version that no file tells."""


@dataclass(frozen=True)
class Told:
    """What a folder tells.

    Attributes:
        folder: It.
        record: Of its run, None where it tells of none.
        remarks: What is missing or damaged, and why.
        is_older: Whether it has no record, and tells by its files alone.
    """

    folder: Path
    record: RunRecord | None
    remarks: tuple[str, ...] = ()
    is_older: bool = False


def told(runs: Path) -> Iterator[Told]:
    """What the folders in a folder of runs tell, in the order of their names.

    Raises:
        StorageError: There is no such folder.
    """
    try:
        folders = sorted(path for path in runs.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError as error:
        raise StorageError(f"{runs}: cannot read it as a folder of runs: {error.strerror}") from error
    for folder in folders:
        if (folder / mirror.FILE).exists() or (folder / "config.json").exists():
            yield _told(folder.absolute())


def _told(folder: Path) -> Told:
    remarks = []
    try:
        record, damaged = mirror.read(folder)
    except FileNotFoundError:
        pass
    except (OSError, CorruptError) as error:
        remarks.append(str(error))
    else:
        if damaged:
            lines = ", ".join(map(str, damaged))
            remarks.append(f"{folder / mirror.FILE}: damaged, and left out, are lines {lines}")
        return Told(folder, _moved(record, folder), tuple(remarks))
    try:
        older = _older(folder)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        return Told(folder, None, (*remarks, f"{folder}: its config.json tells of no training ({error!r})"))
    remarks.append(
        f"{folder}: has no record, and tells by its files: device, environment, tags, notes, events and "
        "the signatures of scores before the last are not known"
    )
    return Told(folder, older, tuple(remarks), is_older=True)


def manifest_sha256(folder: Path) -> str:
    """sha256 of the manifest of a model's folder.

    Raises:
        OSError: There is none.
    """
    return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()


# A folder that was moved -------------------------------------------------------------------------------


def _moved(record: RunRecord, folder: Path) -> RunRecord:
    """A record whose paths are those that they have now, wherever the folder was when it was written."""
    former = record.run.folder
    if not former or Path(former) == folder:
        return record

    def now(path: str) -> str:
        within = PurePath(path)
        return str(folder / within.relative_to(former)) if within.is_relative_to(former) else path

    return replace(
        record,
        run=replace(record.run, folder=str(folder)),
        artefacts=tuple(replace(each, path=now(each.path)) for each in record.artefacts),
        models=tuple(_put(made, now(made.model.folder)) for made in record.models),
    )


def _put(made: MadeModel, folder: str) -> MadeModel:
    return replace(made, model=replace(made.model, folder=folder))


# A folder without a record -----------------------------------------------------------------------------


def _older(folder: Path) -> RunRecord:
    """What the files of a training tell of it."""
    saved = _json(folder / "config.json")
    job, data = saved["job"], saved["data"]
    model = _model(folder / "model", job)
    ended = folder / "metrics.jsonl" if (folder / "metrics.jsonl").exists() else folder / "config.json"
    status: RunStatus = "interrupted" if model is None else "finished"
    run = Run(
        id=folder.name,
        kind="train",
        status=status,
        name=job["name"],
        task=job["task"]["name"],
        config=job,
        seed=job["train"]["seed"],
        device="",
        device_reason="not known: made anew of the run's folder",
        versions={} if model is None else _json(folder / "model" / "config.json").get("versions", {}),
        data=tuple(DataFile(path=path, sha256=digest) for path, digest in sorted(data.items())),
        folder=str(folder),
        model=None,
        started_at=_started(folder),
        ended_at=_changed(ended) if model is None else model.created_at,
        error=None,
        scores=_scores(folder, model.scores if model else ()),
    )
    if model is None:
        return RunRecord(run=run)
    return RunRecord(run=run, models=(MadeModel(model=replace(model, run_id=run.id), place=0),))


def _model(folder: Path, job: dict[str, Any]) -> Model | None:
    if not (folder / MANIFEST).exists():
        return None
    values = [{**score, "value": _figure(score["value"])} for score in _json(folder / "metrics.json")]
    return Model(
        name=job["name"],
        version=NOT_KNOWN,
        task=job["task"]["name"],
        run_id=None,
        folder=str(folder),
        sha256=manifest_sha256(folder),
        aliases=(),
        created_at=_changed(folder / MANIFEST),
        scores=tuple(Score(**score) for score in values),
    )


def _scores(folder: Path, last: Sequence[Score]) -> tuple[Score, ...]:
    """Those of ``metrics.jsonl``; what it does not say of them is as with the model's."""
    known = {score.metric: score for score in last}
    found: dict[tuple[str, int], Score] = {}
    for line in _lines(folder / "metrics.jsonl"):
        for metric, value in line.get("scores", {}).items():
            like = known.get(metric)
            found[metric, line["step"]] = Score(
                metric=metric,
                value=_figure(value),
                split="valid" if like is None else like.split,
                step=line["step"],
                signature="" if like is None else like.signature,
            )
    found |= {(score.metric, score.step): score for score in last}  # with all their parts
    return tuple(found.values())


def _figure(value: float | None) -> float:
    return float("nan") if value is None else float(value)  # JSON has no NaN


def _json(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    """Its lines, but for one that a kill cut short."""
    if file.exists():
        for line in file.read_text(encoding="utf-8").split("\n")[:-1]:
            yield json.loads(line)


def _started(folder: Path) -> datetime:
    try:
        return datetime.strptime(folder.name[:15], ID_MOMENT).replace(tzinfo=UTC)
    except ValueError:
        return _changed(folder / "config.json")


def _changed(file: Path) -> datetime:
    return datetime.fromtimestamp(file.stat().st_mtime, UTC)
