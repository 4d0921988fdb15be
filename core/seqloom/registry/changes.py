"""Which runs does a transaction touch? Their records, in their folders, are written at its end."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, event, or_, select
from sqlalchemy.orm import Session

from seqloom.registry import mirror
from seqloom.registry.mirror import Addition, MadeModel, RunRecord
from seqloom.registry.records import Score
from seqloom.registry.tables import (
    AliasChangeRow,
    AliasRow,
    ArtefactRow,
    EventRow,
    ModelRow,
    NoteRow,
    RunDataRow,
    RunRow,
    TagRow,
)


class Changes:
    """What a session changes, of which runs.

    It sees what goes through the session's rows. Scores do not (there may be thousands): who enters some
    says so by :meth:`add_scores`.

    Args:
        session: One that writes.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._runs: set[str] = set()
        self._models: set[int] = set()
        self._versions: set[tuple[str, int]] = set()
        self._additions: dict[str, list[Addition | EventRow | ArtefactRow]] = defaultdict(list)
        session.info["changes"] = self
        event.listen(session, "after_flush", self._flushed)

    @classmethod
    def of(cls, session: Session) -> Changes:
        """Those of a session that writes."""
        found: Changes = session.info["changes"]
        return found

    def add_scores(self, run_id: str, scores: tuple[Score, ...]) -> None:
        """Says that scores came to a run."""
        self._additions[run_id].append(Addition(scores=scores))

    def write(self) -> None:
        """Writes down what was changed; last of all in the transaction, when others cannot come between.

        Where a folder does not let itself be written, the registry goes on without: `seqloom registry
        check` finds out.
        """
        self._session.flush()
        for run_id in sorted({*self._changed(), *self._additions}):
            row = self._session.get(RunRow, run_id)
            if row is not None and row.folder:
                with suppress(OSError, ValueError):  # ValueError: a name that no file can have
                    self._write(row)

    def _write(self, row: RunRow) -> None:
        folder = Path(row.folder)
        if not folder.is_dir():
            return
        is_whole = row.id in self._changed()
        if is_whole or not mirror.append(folder, [_told(one) for one in self._additions[row.id]]):
            self._session.expire_all()  # what hangs on it may be other than when it was read
            mirror.write(folder, record_of(self._session, row))

    def _changed(self) -> set[str]:
        """The runs of which more is to be said than what came to them."""
        of_them: list[ColumnElement[bool]] = [ModelRow.id.in_(self._models)] if self._models else []
        of_them += [(ModelRow.name == name) & (ModelRow.version == one) for name, one in self._versions]
        if of_them:
            makers = select(ModelRow.run_id).where(ModelRow.run_id.is_not(None), or_(*of_them))
            self._runs.update(filter(None, self._session.scalars(makers)))
            self._models.clear()
            self._versions.clear()
        return self._runs

    def _flushed(self, session: Session, _context: Any) -> None:
        for row in session.new:
            if isinstance(row, EventRow | ArtefactRow):
                self._additions[row.run_id].append(row)
            else:
                self._note(row)
        for row in (*session.dirty, *session.deleted):
            if row in session.deleted or session.is_modified(row):
                self._note(row)

    def _note(self, row: Any) -> None:
        match row:
            case RunRow():
                self._runs.add(row.id)
            case ModelRow(run_id=str(run_id)):
                self._runs.add(run_id)
            case AliasRow():
                self._versions.add((row.name, row.version))
            case AliasChangeRow():
                versions = (row.version, row.former)
                self._versions.update((row.name, version) for version in versions if version is not None)
            case TagRow(run_id=str(run_id)) | NoteRow(run_id=str(run_id)):
                self._runs.add(run_id)
            case TagRow(model_id=int(model_id)) | NoteRow(model_id=int(model_id)):
                self._models.add(model_id)
            case RunDataRow() | EventRow() | ArtefactRow():
                self._runs.add(row.run_id)


def record_of(session: Session, row: RunRow) -> RunRecord:
    """All that a database has of a run."""
    return RunRecord(
        run=row.record(),
        events=tuple(each.record() for each in _own(session, EventRow, row)),
        artefacts=tuple(each.record() for each in _own(session, ArtefactRow, row)),
        models=tuple(_made(session, each) for each in _own(session, ModelRow, row)),
    )


def _own(session: Session, kind: Any, run: RunRow) -> Any:
    return session.scalars(select(kind).where(kind.run_id == run.id).order_by(kind.id))


def _made(session: Session, row: ModelRow) -> MadeModel:
    its_own = or_(AliasChangeRow.version == row.version, AliasChangeRow.former == row.version)
    changes = select(AliasChangeRow).where(AliasChangeRow.name == row.name, its_own)
    return MadeModel(
        model=row.record(),
        place=row.id,
        changes=tuple(each.record() for each in session.scalars(changes.order_by(AliasChangeRow.id))),
    )


def _told(addition: Addition | EventRow | ArtefactRow) -> Addition:
    match addition:
        case EventRow():
            return Addition(events=(addition.record(),))
        case ArtefactRow():
            return Addition(artefacts=(addition.record(),))
    return addition
