"""What does a training have to tell the registry, and what of it could not be told yet?

While the registry is away (locked for long, deleted, unwritable, its server gone) a training goes on; what
it has to tell is written to ``registry.jsonl`` in its folder, and told in its order once the registry
answers again: with the next thing to tell, or by ``seqloom resume``. A lock is waited for, and so seldom
asked about: a training is not to stand still at each evaluation.

A registry that was damaged comes back as somebody's copy of it, which may be older than what it was told.
So what waits for it begins with all that it was told before, and at the end it is asked what it lacks;
telling it something twice changes nothing.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, final

from seqloom.errors import BusyError, ConfigError, StorageError
from seqloom.registry.records import Model, Run, RunStatus, Score
from seqloom.registry.store import Registry
from seqloom.storage import storage_errors

FILE: Final = "registry.jsonl"
LOCKED_SECONDS: Final = 600.0
"""Scores that come so soon after a wait for a lock in vain are not tried: a tenth of that is waited."""
REBUILD: Final = "or enter in this one what the run folders hold: `seqloom registry rebuild`"
Event = dict[str, Any]


def known_run(registry: Registry, run_id: str) -> Run:
    """The run of a folder that is here.

    Raises:
        ConfigError: The registry does not know it: it is another one, or a new one.
    """
    try:
        return registry.run(run_id)
    except ConfigError as error:
        raise ConfigError(f"{error} Put the registry back that knows the run, {REBUILD}") from error


class Ledger:
    """Tells the registry of one training.

    Args:
        registry: Whom to tell.
        run: The training.
        say: Tells a person when the registry goes away and when it is back.
        clock: Seconds since some moment.

    Attributes:
        trouble: Why the last thing was not told; None where all is told.
    """

    def __init__(
        self,
        registry: Registry,
        run: Run,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.registry = registry
        self.run = run
        self.say = say
        self.file = Path(run.folder) / FILE
        self.trouble: StorageError | BusyError | ConfigError | None = None
        self._clock = clock
        self._locked_until = -math.inf
        self._told: list[Event] = []

    def add_scores(self, scores: Sequence[Score]) -> None:
        """Enters an evaluation's scores."""
        if not scores:
            return
        self._offer({"event": "scores", "scores": [asdict(score) for score in scores]})

    def add_event(self, kind: str, details: Mapping[str, Any] | None = None) -> None:
        """Says that something happened now; see :class:`seqloom.registry.records.Event`."""
        self._offer(_happened(kind, details or {}))

    def add_artefact(self, kind: str, path: Path, sha256: str, size_bytes: int) -> None:
        """Says what the training left; see :class:`seqloom.registry.records.Artefact`."""
        left = {"kind": kind, "path": str(path), "sha256": sha256, "size_bytes": size_bytes}
        self._offer({"event": "left", **left, "at": datetime.now(UTC).isoformat()})

    def add_model(self, folder: Path, sha256: str, scores: Sequence[Score]) -> None:
        """Registers the model that the training made."""
        event = {"event": "model", "folder": str(folder), "sha256": sha256}
        self._tell(event | {"scores": [asdict(score) for score in scores]})

    def end(self, status: RunStatus, error: str | None) -> Run:
        """Says how the run ended; returns it as it is to be."""
        moment = datetime.now(UTC)
        self._tell({"event": "end", "status": status, "error": error, "at": moment.isoformat()})
        return replace(self.run, status=status, error=error, ended_at=moment)

    def replay(self) -> int:
        """Tells what could not be told before; returns how many things that were.

        Raises:
            StorageError: The registry is still away.
            BusyError: It is still locked.
            ConfigError: It is another one, which does not know the run.
        """
        waiting = self._waiting()
        for event in waiting:
            self._act(event)
        if waiting:
            self._act(_happened("back", {"told": len(waiting)}), is_new=True)
            self._write([])  # not before it knows all: what is told to a damaged one may be lost again
            self.say("the registry is back, and has been told what it missed")
        return len(waiting)

    def way_out(self) -> str:
        """What a person can do where the registry does not know all by the end."""
        enter = f"`seqloom resume {self.run.id}` will enter it"
        if isinstance(self.trouble, ConfigError):
            return f"put the registry back that knows the run, and {enter}; {REBUILD}"
        return enter

    def _offer(self, event: Event) -> None:
        """Tells what can wait: while the registry is known to be locked, it is not asked."""
        if self._clock() < self._locked_until:
            self._write([*self._waiting(), event])
        else:
            self._tell(event)

    def _tell(self, event: Event) -> None:
        try:
            self.replay()
            self._act(event, is_new=True)
        except (StorageError, BusyError, ConfigError) as trouble:  # the last: another, without the run
            news = [event]
            if self.trouble is None:
                self.say(f"the registry is away, and training goes on; {self.file} keeps for it: {trouble}")
                news = [_happened("away", {"reason": str(trouble)}), event]
            self.trouble = trouble
            if isinstance(trouble, BusyError):
                self._locked_until = self._clock() + LOCKED_SECONDS
            self._write([*(self._waiting() or self._told), *news])
        else:
            self.trouble, self._locked_until = None, -math.inf
        finally:
            self.registry.rest()

    def _act(self, event: Event, *, is_new: bool = False) -> None:
        if event["event"] == "end":
            known = _Known(self.registry, self.run.id)
            if not all(before in known for before in self._told):
                for before in self._told:
                    self._enter(before)
        self._enter(event, is_new=is_new)
        if event not in self._told:
            self._told.append(event)

    def _enter(self, event: Event, *, is_new: bool = False) -> None:
        """Tells one thing; where it is known already, as it may be unless new, that changes nothing."""
        run, told = self.run, self.registry
        match event["event"]:
            case "scores":
                told.add_scores(run.id, _scores(event))
            case "happened" if is_new or not self._has_event(event):
                told.add_event(run.id, event["kind"], event["details"], _moment(event))
            case "left":
                named = {name: event[name] for name in ("kind", "path", "sha256", "size_bytes")}
                told.add_artefact(run.id, **named, at=_moment(event))
            case "end":
                told.end_run(run.id, event["status"], event["error"], _moment(event))
            case "model" if not self._has_model(event["sha256"]):
                made = {"folder": event["folder"], "sha256": event["sha256"], "scores": _scores(event)}
                told.add_model(name=run.name, task=run.task, run_id=run.id, **made)

    def _has_event(self, event: Event) -> bool:
        known = self.registry.events(self.run.id)
        return (event["kind"], _moment(event)) in {(one.kind, one.at) for one in known}

    def _has_model(self, sha256: str) -> bool:
        model = self.model()
        return model is not None and model.sha256 == sha256

    def model(self) -> Model | None:
        """The newest model that the registry has of this run."""
        uri = self.registry.run(self.run.id).model
        return None if uri is None else self.registry.model(uri)

    def _waiting(self) -> list[Event]:
        if not self.file.exists():
            return []
        with storage_errors(self.file, "read"):
            return [json.loads(line) for line in self.file.read_text(encoding="utf-8").splitlines()]

    def _write(self, events: Sequence[Event]) -> None:
        """Puts the events in the place of those that wait."""
        with storage_errors(self.file, "write"):
            if not events:
                self.file.unlink(missing_ok=True)
                return
            aside = self.file.with_name(f".{FILE}.new")
            aside.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
            aside.replace(self.file)


@final
class _Known:
    """What the registry knows of a run."""

    def __init__(self, registry: Registry, run_id: str) -> None:
        self._run = registry.run(run_id)
        self._scores = [asdict(score) for score in self._run.scores]
        self._events = {(event.kind, event.at) for event in registry.events(run_id)}
        self._paths = {left.path for left in registry.artefacts(run_id)}

    def __contains__(self, event: Event) -> bool:
        match event["event"]:
            case "happened":
                return (event["kind"], _moment(event)) in self._events
            case "left":
                return event["path"] in self._paths
            case "model":
                return self._run.model is not None
        return all(score in self._scores for score in event.get("scores", ()))


def _happened(kind: str, details: Mapping[str, Any]) -> Event:
    now = datetime.now(UTC).isoformat()
    return {"event": "happened", "kind": kind, "details": dict(details), "at": now}


def _moment(event: Event) -> datetime:
    return datetime.fromisoformat(event["at"])


def _scores(event: Event) -> list[Score]:
    return [Score(**score) for score in event["scores"]]
