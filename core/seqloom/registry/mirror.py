"""What the registry knows of a run, in the run's folder too: a lost database is made anew of that.

``record.jsonl`` begins with a line that holds all of it. Lines after that say what came later and may come
often: scores, events, artefacts. So a long training adds a little each time; whatever else is said of the
run or its models, seldom, writes the file anew, which also heals one that missed something.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from seqloom.errors import CorruptError
from seqloom.registry.records import AliasChange, Artefact, DataFile, Event, Model, Note, Run, Score

FILE: Final = "record.jsonl"
FORMAT: Final = 1
"""Of the file; a newer one is not guessed at."""

RecordT = TypeVar("RecordT")


@dataclass(frozen=True, kw_only=True)
class MadeModel:
    """A model that a run made.

    Attributes:
        model: It.
        place: Its place among all models of the registry, which tells those of one moment apart.
        changes: Those of aliases that led to it or away from it, oldest first.
    """

    model: Model
    place: int
    changes: tuple[AliasChange, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """All that the registry knows of a run.

    Attributes:
        run: It.
        events: What happened in it, in the order in which it was told.
        artefacts: What it left, oldest first.
        models: Those that it made, oldest first.
    """

    run: Run
    events: tuple[Event, ...] = ()
    artefacts: tuple[Artefact, ...] = ()
    models: tuple[MadeModel, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Addition:
    """What came to a run.

    Attributes:
        scores: Older ones of the same metric, split, step and signature give way.
        events: After those that there are.
        artefacts: An older one of the same path gives way.
    """

    scores: tuple[Score, ...] = ()
    events: tuple[Event, ...] = ()
    artefacts: tuple[Artefact, ...] = ()

    def to(self, record: RunRecord) -> RunRecord:
        """A run's record with this in it."""
        replaced = {_key(score) for score in self.scores}
        kept = tuple(score for score in record.run.scores if _key(score) not in replaced)
        paths = {artefact.path for artefact in self.artefacts}
        left = tuple(artefact for artefact in record.artefacts if artefact.path not in paths)
        return replace(
            record,
            run=replace(record.run, scores=kept + self.scores) if self.scores else record.run,
            events=record.events + self.events,
            artefacts=left + self.artefacts,
        )


def _key(score: Score) -> tuple[object, ...]:
    return score.metric, score.split, score.step, score.signature


# Writing -----------------------------------------------------------------------------------------------


def write(folder: Path, record: RunRecord) -> None:
    """Writes a run's record into its folder, in the place of the one there.

    Nothing is waited for until it is on the disk: the database is what survives a power cut, and this is
    written while others wait to write there.

    Raises:
        OSError: That cannot be.
        ValueError: The folder's name cannot be one.
    """
    aside = folder / f".{FILE}.new"
    aside.write_text(text({"format": FORMAT, **_plain(record)}), encoding="ascii")
    aside.replace(folder / FILE)


def append(folder: Path, additions: Sequence[Addition]) -> bool:
    """Adds to the record in a run's folder; returns whether there is one.

    Raises:
        OSError: That cannot be.
        ValueError: The folder's name cannot be one.
    """
    try:
        with (folder / FILE).open("r+b") as stream:
            end = stream.seek(0, 2)
            if end:
                stream.seek(end - 1)
                torn = stream.read(1) != b"\n"  # of a process that was killed: that line was never told
                lines = "\n" * torn + "".join(map(text, additions))
                stream.write(lines.encode("ascii"))
    except FileNotFoundError:
        return False
    return end > 0


def text(value: Any) -> str:
    """A record, or a part of one, as a line of the file."""
    return json.dumps(value, default=_plain, separators=(",", ":")) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return dict(value)


# Reading -----------------------------------------------------------------------------------------------


def read(folder: Path) -> tuple[RunRecord, list[int]]:
    """The record in a run's folder, and the numbers of the lines of it that make no sense.

    Raises:
        FileNotFoundError: There is none.
        OSError: It cannot be read.
        CorruptError: Its first line makes no sense, or a newer Seqloom wrote it.
    """
    file = folder / FILE
    whole, *later = file.read_bytes().split(b"\n")
    try:
        record = _record_of(json.loads(whole))
    except _Newer as newer:
        raise CorruptError(f"{file}: a newer Seqloom wrote it ({newer}); install that") from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CorruptError(f"{file}: its first line is damaged ({error})") from None
    damaged = []
    for number, line in enumerate(later, start=2):
        try:
            record = _addition(json.loads(line), record.run.id).to(record) if line else record
        except (ValueError, TypeError, KeyError, AttributeError):
            damaged.append(number)
    return record, damaged


class _Newer(Exception):  # noqa: N818 - nothing went wrong
    """A format that is not known here."""


def _record_of(values: Mapping[str, Any]) -> RunRecord:
    if values["format"] != FORMAT:
        raise _Newer(f"format {values['format']}, where this one knows {FORMAT}")
    run = values["run"]
    parts = {
        "data": _all(DataFile, run["data"]),
        "scores": _scores(run["scores"]),
        "notes": _all(Note, run["notes"]),
    }
    return RunRecord(
        run=_one(Run, run, **parts),
        events=_all(Event, values["events"]),
        artefacts=_all(Artefact, values["artefacts"]),
        models=tuple(_made(made) for made in values["models"]),
    )


def _made(values: Mapping[str, Any]) -> MadeModel:
    model = values["model"]
    parts = {
        "aliases": tuple(model["aliases"]),
        "scores": _scores(model["scores"]),
        "notes": _all(Note, model["notes"]),
    }
    return MadeModel(
        model=_one(Model, model, **parts),
        place=values["place"],
        changes=_all(AliasChange, values["changes"]),
    )


def _addition(values: Mapping[str, Any], run_id: str) -> Addition:
    return Addition(
        scores=_scores(values["scores"]),
        events=_all(Event, values["events"]),
        artefacts=tuple(replace(each, run_id=run_id) for each in _all(Artefact, values["artefacts"])),
    )


def _scores(several: Iterable[Mapping[str, Any]]) -> tuple[Score, ...]:
    return tuple(Score(**{**values, "value": float(values["value"])}) for values in several)


def _all(kind: type[RecordT], several: Iterable[Mapping[str, Any]]) -> tuple[RecordT, ...]:
    return tuple(_one(kind, values) for values in several)


def _one(kind: type[RecordT], values: Mapping[str, Any], **parts: Any) -> RecordT:
    """A record of its fields as JSON has them; what is not among them is as the class has it."""
    moments = {
        name: datetime.fromisoformat(value)
        for name, value in values.items()
        if (name == "at" or name.endswith("_at")) and value is not None
    }
    return kind(**{**values, **moments, **parts})
