"""The registry's verbs about runs."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NotRequired, TypedDict, Unpack

from sqlalchemy import delete, select

from seqloom.errors import ConfigError
from seqloom.registry.changes import Changes
from seqloom.registry.lookup import check_name, run_row
from seqloom.registry.opened import Opened, reread
from seqloom.registry.pages import page
from seqloom.registry.records import Artefact, DataFile, Event, Run, RunKind, RunStatus, Score
from seqloom.registry.saying import add_note, mark_deleted, mark_restored, retag
from seqloom.registry.scores import Owner, enter, scores_of
from seqloom.registry.tables import ArtefactRow, EventRow, RunRow
from seqloom.registry.used import use_data


def new_run_id(now: datetime | None = None) -> str:
    """A new run's id, as ``20261121-131502-a1b2c3``: they sort by the second (UTC) and differ within it."""
    moment = datetime.now(UTC) if now is None else now.astimezone(UTC)
    return f"{moment:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


class RunFacts(TypedDict):
    """What is known of a run as it starts: fields of :class:`~seqloom.registry.records.Run`."""

    id: NotRequired[str]
    kind: RunKind
    name: str
    task: str
    config: Mapping[str, Any]
    seed: int
    device: str
    device_reason: str
    versions: Mapping[str, str]
    environment: NotRequired[Mapping[str, str]]
    git: NotRequired[Mapping[str, str]]
    data: Sequence[DataFile]
    folder: NotRequired[str]
    model: NotRequired[str | None]


class RunVerbs(Opened):
    """What is asked and told about runs."""

    def start_run(self, **facts: Unpack[RunFacts]) -> Run:
        """Enters a run that begins now.

        Args:
            **facts: See :class:`RunFacts`; without an ``id`` it gets a new one.

        Raises:
            ConfigError: There is a run of that id, or it cannot be one: it is a folder's name, too.
        """
        check_name("a run", facts.get("id", "new"))
        now = self._clock()
        data = facts["data"]
        columns = {name: value for name, value in facts.items() if name != "data"}
        row = RunRow(status="running", started_at=now, **({"id": new_run_id(now), "folder": ""} | columns))
        with self._writing() as session:
            if session.get(RunRow, row.id) is not None:
                raise ConfigError(f"there is a run '{row.id}' already; resume it, or start another")
            session.add(row)
            session.flush()
            use_data(session, row.id, data)
            return reread(session, row).record()

    def end_run(
        self, run_id: str, status: RunStatus, error: str | None = None, at: datetime | None = None
    ) -> Run:
        """Says how a run ended.

        Args:
            run_id: The run.
            status: How it stands now.
            error: What ended it, None where it ended well.
            at: When, aware; None for now.

        Raises:
            ConfigError: There is no such run.
        """
        with self._writing() as session:
            row = run_row(session, run_id)
            row.status, row.error, row.ended_at = status, error, at or self._clock()
            return reread(session, row).record()

    def reopen_run(self, run_id: str) -> Run:
        """Makes a run that had stopped a running one again.

        Raises:
            ConfigError: There is no such run in this registry, or it is deleted.
        """
        with self._writing() as session:
            row = run_row(session, run_id)
            if row.deleted_at is not None:
                undo = f"`seqloom runs rm --undo {row.id}` takes that back"
                raise ConfigError(f"run {row.id} is deleted; {undo}")
            row.status, row.error, row.ended_at = "running", None, None
            return reread(session, row).record()

    def add_scores(self, run_id: str, scores: Sequence[Score]) -> None:
        """Adds scores to a run; older ones of the same metric, split, step and signature give way.

        Raises:
            ConfigError: There is no such run.
        """
        with self._writing() as session:
            row = run_row(session, run_id)
            enter(session, Owner("run_id", row.id), scores)
            Changes.of(session).add_scores(row.id, tuple(scores))

    def add_data(self, run_id: str, data: Sequence[DataFile]) -> Run:
        """Says which files of data a run read; one that is known by split and path gives way.

        Raises:
            ConfigError: There is no such run.
        """
        with self._writing() as session:
            row = run_row(session, run_id)
            use_data(session, row.id, data)
            return reread(session, row).record()

    def add_artefact(
        self, run_id: str, *, kind: str, path: str, sha256: str, size_bytes: int, at: datetime | None = None
    ) -> Artefact:
        """Says what a run left; what it left there before gives way.

        Args:
            run_id: The run.
            kind: One word: ``predictions``, ``checkpoint``.
            path: Where it lies (absolute).
            sha256: Of its bytes; of a folder, of its manifest.
            size_bytes: Its size.
            at: When it was made, aware; None for now.

        Raises:
            ConfigError: There is no such run.
        """
        with self._writing() as session:
            row = run_row(session, run_id)
            there = (ArtefactRow.run_id == row.id, ArtefactRow.path == path)
            session.execute(delete(ArtefactRow).where(*there))
            made = ArtefactRow(
                run_id=row.id,
                kind=kind,
                path=path,
                sha256=sha256,
                bytes=size_bytes,
                created_at=at or self._clock(),
            )
            session.add(made)
            return reread(session, made).record()

    def artefacts(self, run_id: str) -> list[Artefact]:
        """What a run left, oldest first.

        Raises:
            ConfigError: There is no such run.
        """
        with self._reading() as session:
            of_it = ArtefactRow.run_id == run_row(session, run_id).id
            found = session.scalars(select(ArtefactRow).where(of_it).order_by(ArtefactRow.id))
            return [row.record() for row in found]

    def add_event(
        self,
        run_id: str,
        kind: str,
        details: Mapping[str, Any] | None = None,
        at: datetime | None = None,
    ) -> Event:
        """Says that something happened in a run.

        Args:
            run_id: The run.
            kind: One word.
            details: What else there is to say, JSON-able.
            at: When, aware; None for now.

        Raises:
            ConfigError: There is no such run.
        """
        with self._writing() as session:
            row = run_row(session, run_id)
            made = EventRow(run_id=row.id, kind=kind, details=details or {}, at=at or self._clock())
            session.add(made)
            return reread(session, made).record()

    def events(self, run_id: str) -> list[Event]:
        """What happened in a run, in the order in which it was told.

        Raises:
            ConfigError: There is no such run.
        """
        with self._reading() as session:
            of_it = EventRow.run_id == run_row(session, run_id).id
            found = session.scalars(select(EventRow).where(of_it).order_by(EventRow.id))
            return [row.record() for row in found]

    def run(self, run_id: str) -> Run:
        """Looks a run up by its id or the beginning of it; one that was deleted is found, too.

        Raises:
            ConfigError: None is called that, or several begin so.
        """
        with self._reading() as session:
            return run_row(session, run_id).record()

    def runs(
        self,
        where: str | None = None,
        limit: int | None = None,
        *,
        after: str | None = None,
        deleted: bool = False,
    ) -> list[Run]:
        """Lists runs, newest first unless the query says otherwise.

        Args:
            where: A query, see :mod:`seqloom.registry.language`; None for all.
            limit: How many at most, whatever the query says; None for all.
            after: The last run of the page before, its id; None for the first page.
            deleted: Whether those that were deleted are among them.

        Raises:
            UsageError: The query makes no sense.
            ConfigError: There is no run ``after``.
        """
        with self._reading() as session:
            last = None if after is None else run_row(session, after)
            rows = page(session, RunRow, where, limit, last, deleted=deleted)
            scores = scores_of(session, "run_id", [row.id for row in rows])
            return [row.record(scores[row.id]) for row in rows]

    def tag_run(self, run_id: str, tags: Mapping[str, str | None]) -> Run:
        """Says something of a run.

        Args:
            run_id: Its id, or the beginning of it.
            tags: A value for each key, instead of the one before; None takes the key away.

        Raises:
            ConfigError: There is no such run, it lacks a key that is to be taken away, or a key or a value
                cannot be one.
        """
        with self._writing() as session:
            row = run_row(session, run_id)
            retag(row, tags)
            return reread(session, row).record()

    def note_run(self, run_id: str, text: str, at: datetime | None = None) -> Run:
        """Adds a note to a run.

        Args:
            run_id: Its id, or the beginning of it.
            text: One line or several.
            at: When it was written, aware; None for now.

        Raises:
            ConfigError: There is no such run, or the text cannot be a note.
        """
        with self._writing() as session:
            row = run_row(session, run_id)
            add_note(row, text, at or self._clock())
            return reread(session, row).record()

    def delete_run(self, run_id: str) -> Run:
        """Marks a run as deleted: no list has it any more, and nothing of it is gone.

        Raises:
            ConfigError: There is no such run, or it is deleted already.
        """
        with self._writing() as session:
            row = run_row(session, run_id)
            mark_deleted(f"run {row.id}", row, self._clock())
            return reread(session, row).record()

    def restore_run(self, run_id: str) -> Run:
        """Takes back that a run was deleted.

        Raises:
            ConfigError: There is no such run, it is not deleted, or its files are gone.
        """
        with self._writing() as session:
            row = run_row(session, run_id)
            mark_restored(f"run {row.id}", row)
            return reread(session, row).record()
