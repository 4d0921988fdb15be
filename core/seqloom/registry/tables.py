"""The registry's tables, private to this package: what leaves it are the frozen records.

A change here needs a new file in ``migrations/versions`` and its number in :data:`SCHEMA`; tests hold the
two together, and upgrade a database of every schema that was ever released.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Connection,
    ForeignKey,
    ForeignKeyConstraint,
    String,
    UniqueConstraint,
    event,
)
from sqlalchemy.orm import Mapped, Session, mapped_column, object_session, relationship

from seqloom.registry.columns import ONE_OWNER, Base
from seqloom.registry.records import (
    AliasChange,
    Artefact,
    DataFile,
    Event,
    Model,
    Note,
    Run,
    RunKind,
    RunStatus,
    Score,
)
from seqloom.registry.scores import OwnerColumn, scores_of
from seqloom.registry.settings import enter_settings

SCHEMA = "0005"
"""The newest migration: what :class:`Base` describes."""

SCHEMA_TABLE = "seqloom_schema"
"""Where Alembic notes which migration a database is at; it also tells our databases from others'."""


class TagRow(Base):
    """What somebody says of a run or of a model: a key with one value."""

    __tablename__ = "tags"
    __table_args__ = (
        CheckConstraint(ONE_OWNER, name="one_owner"),
        UniqueConstraint("run_id", "key"),
        UniqueConstraint("model_id", "key"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str | None] = mapped_column(ForeignKey("runs.id"))
    model_id: Mapped[int | None] = mapped_column(ForeignKey("models.id"))
    key: Mapped[str] = mapped_column(index=True)
    value: Mapped[str]


class NoteRow(Base):
    """What somebody wrote about a run or a model."""

    __tablename__ = "notes"
    __table_args__ = (CheckConstraint(ONE_OWNER, name="one_owner"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str | None] = mapped_column(ForeignKey("runs.id"), index=True)
    model_id: Mapped[int | None] = mapped_column(ForeignKey("models.id"), index=True)
    at: Mapped[datetime]
    text: Mapped[str]

    def record(self) -> Note:
        """The row as others see it."""
        return Note(text=self.text, at=self.at)


class DataFileRow(Base):
    """A file of data, known by its content."""

    __tablename__ = "data_files"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    bytes: Mapped[int | None] = mapped_column(BigInteger)
    rows: Mapped[int | None] = mapped_column(BigInteger)


class RunDataRow(Base):
    """That a run read a file of data, and under which name."""

    __tablename__ = "run_data"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    split: Mapped[str] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("data_files.sha256"), index=True)
    file: Mapped[DataFileRow] = relationship(lazy="joined", innerjoin=True, viewonly=True)

    def record(self) -> DataFile:
        """The row as others see it."""
        return DataFile(
            path=self.path,
            sha256=self.sha256,
            split=self.split,
            bytes=self.file.bytes,
            rows=self.file.rows,
        )


class ArtefactRow(Base):
    """A file or a folder that a run left."""

    __tablename__ = "artefacts"
    __table_args__ = (UniqueConstraint("run_id", "path"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    kind: Mapped[str] = mapped_column(index=True)
    path: Mapped[str]
    sha256: Mapped[str] = mapped_column(index=True)
    bytes: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]

    def record(self) -> Artefact:
        """The row as others see it."""
        return Artefact(
            run_id=self.run_id,
            kind=self.kind,
            path=self.path,
            sha256=self.sha256,
            bytes=self.bytes,
            created_at=self.created_at,
        )


class EventRow(Base):
    """Something that happened in a run."""

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), index=True)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(index=True)
    details: Mapped[dict[str, Any]]

    def record(self) -> Event:
        """The row as others see it."""
        return Event(kind=self.kind, at=self.at, details=self.details)


class RunRow(Base):
    """A run."""

    __tablename__ = "runs"

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[RunKind] = mapped_column(String)
    status: Mapped[RunStatus] = mapped_column(String)
    name: Mapped[str]
    task: Mapped[str]
    config: Mapped[dict[str, Any]]
    seed: Mapped[int] = mapped_column(BigInteger)
    device: Mapped[str]
    device_reason: Mapped[str]
    versions: Mapped[dict[str, str]]
    environment: Mapped[dict[str, str] | None]
    git: Mapped[dict[str, str] | None]
    folder: Mapped[str]
    model: Mapped[str | None] = mapped_column(index=True)
    started_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    error: Mapped[str | None]
    deleted_at: Mapped[datetime | None]
    purged_at: Mapped[datetime | None]
    data: Mapped[list[RunDataRow]] = relationship(
        order_by=(RunDataRow.split, RunDataRow.path), lazy="selectin", cascade="all, delete-orphan"
    )
    tags: Mapped[list[TagRow]] = relationship(
        order_by=TagRow.key, lazy="selectin", cascade="all, delete-orphan"
    )
    notes: Mapped[list[NoteRow]] = relationship(order_by=NoteRow.id, lazy="selectin")

    def record(self, scores: Sequence[Score] | None = None) -> Run:
        """The row as others see it; its scores, where they were not read with those of others, are read."""
        return Run(
            id=self.id,
            kind=self.kind,
            status=self.status,
            name=self.name,
            task=self.task,
            config=self.config,
            seed=self.seed,
            device=self.device,
            device_reason=self.device_reason,
            versions=self.versions,
            environment=self.environment or {},
            git=self.git or {},
            data=tuple(file.record() for file in self.data),
            folder=self.folder,
            model=self.model,
            started_at=self.started_at,
            ended_at=self.ended_at,
            error=self.error,
            deleted_at=self.deleted_at,
            purged_at=self.purged_at,
            scores=tuple(_own_scores(self, "run_id") if scores is None else scores),
            tags={tag.key: tag.value for tag in self.tags},
            notes=tuple(note.record() for note in self.notes),
        )


@event.listens_for(RunRow, "after_insert")
def _enter_settings(_mapper: Any, connection: Connection, run: RunRow) -> None:
    """Whoever enters a run, its configuration is found by queries."""
    enter_settings(connection, run.id, run.config)


class AliasRow(Base):
    """A name that points to one version of a model."""

    __tablename__ = "aliases"
    __table_args__ = (ForeignKeyConstraint(["name", "version"], ["models.name", "models.version"]),)

    name: Mapped[str] = mapped_column(primary_key=True)
    alias: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]


class AliasChangeRow(Base):
    """That an alias was pointed elsewhere, or taken away."""

    __tablename__ = "alias_changes"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(index=True)
    alias: Mapped[str]
    version: Mapped[int | None]
    former: Mapped[int | None]
    at: Mapped[datetime]

    def record(self) -> AliasChange:
        """The row as others see it."""
        return AliasChange(
            name=self.name, alias=self.alias, version=self.version, former=self.former, at=self.at
        )


class ModelRow(Base):
    """One version of a model."""

    __tablename__ = "models"
    __table_args__ = (UniqueConstraint("name", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    version: Mapped[int]
    task: Mapped[str]
    run_id: Mapped[str | None] = mapped_column(ForeignKey("runs.id"), index=True)
    folder: Mapped[str]
    sha256: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(index=True)
    deleted_at: Mapped[datetime | None]
    purged_at: Mapped[datetime | None]
    aliases: Mapped[list[AliasRow]] = relationship(order_by=AliasRow.alias, lazy="selectin", viewonly=True)
    tags: Mapped[list[TagRow]] = relationship(
        order_by=TagRow.key, lazy="selectin", cascade="all, delete-orphan"
    )
    notes: Mapped[list[NoteRow]] = relationship(order_by=NoteRow.id, lazy="selectin")

    def record(self, scores: Sequence[Score] | None = None) -> Model:
        """The row as others see it; its scores, where they were not read with those of others, are read."""
        return Model(
            name=self.name,
            version=self.version,
            task=self.task,
            run_id=self.run_id,
            folder=self.folder,
            sha256=self.sha256,
            aliases=tuple(row.alias for row in self.aliases),
            created_at=self.created_at,
            deleted_at=self.deleted_at,
            purged_at=self.purged_at,
            scores=tuple(_own_scores(self, "model_id") if scores is None else scores),
            tags={tag.key: tag.value for tag in self.tags},
            notes=tuple(note.record() for note in self.notes),
        )


def _own_scores(row: RunRow | ModelRow, owner: OwnerColumn) -> Sequence[Score]:
    session = cast("Session", object_session(row))  # rows never leave theirs
    return scores_of(session, owner, [row.id])[row.id]
