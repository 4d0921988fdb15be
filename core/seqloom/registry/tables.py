"""The registry's tables, private to this package: what leaves it are the frozen records.

A change here needs a new file in ``migrations/versions`` and its number in :data:`SCHEMA`; tests hold the
two together, and upgrade a database of every schema that was ever released.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    MetaData,
    String,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from seqloom.registry.records import Model, Run, RunKind, RunStatus, Score

SCHEMA = "0003"
"""The newest migration: what :class:`Base` describes."""

SCHEMA_TABLE = "seqloom_schema"
"""Where Alembic notes which migration a database is at; it also tells our databases from others'."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment; SQLite keeps no time zone, so all of them are stored as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        return datetime

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=UTC)


class Figure(TypeDecorator[float]):
    """A score's value; NaN is stored as NULL, as SQLite has no NaN."""

    impl = Double
    cache_ok = True

    def process_bind_param(self, value: float | None, dialect: Dialect) -> float | None:  # noqa: ARG002
        return None if value is None or math.isnan(value) else value

    def process_result_value(self, value: float | None, dialect: Dialect) -> float:  # noqa: ARG002
        return math.nan if value is None else value


class Base(DeclarativeBase):
    """What all tables share; constraints have names so that migrations can speak of them."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime,
        dict[str, Any]: JSON,
        dict[str, str]: JSON,
        dict[str, int]: JSON,
    }


class ScoreRow(Base):
    """A score, of a run or of a model."""

    __tablename__ = "scores"
    __table_args__ = (CheckConstraint("(run_id IS NULL) <> (model_id IS NULL)", name="one_owner"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str | None] = mapped_column(ForeignKey("runs.id"), index=True)
    model_id: Mapped[int | None] = mapped_column(ForeignKey("models.id"), index=True)
    metric: Mapped[str]
    value: Mapped[float | None] = mapped_column(Figure)
    split: Mapped[str]
    step: Mapped[int] = mapped_column(BigInteger)
    signature: Mapped[str]
    parts: Mapped[dict[str, int] | None]

    @classmethod
    def of(cls, score: Score) -> ScoreRow:
        """A score that still needs its owner."""
        return cls(
            metric=score.metric,
            value=score.value,
            split=score.split,
            step=score.step,
            signature=score.signature,
            parts=dict(score.parts),
        )

    def record(self) -> Score:
        """The row as others see it."""
        return Score(
            metric=self.metric,
            value=math.nan if self.value is None else self.value,
            split=self.split,
            step=self.step,
            signature=self.signature,
            parts=self.parts or {},
        )


class TagRow(Base):
    """What somebody says of a run or of a model: a key with one value."""

    __tablename__ = "tags"
    __table_args__ = (
        CheckConstraint("(run_id IS NULL) <> (model_id IS NULL)", name="one_owner"),
        UniqueConstraint("run_id", "key"),
        UniqueConstraint("model_id", "key"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str | None] = mapped_column(ForeignKey("runs.id"))
    model_id: Mapped[int | None] = mapped_column(ForeignKey("models.id"))
    key: Mapped[str]
    value: Mapped[str]


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
    data: Mapped[dict[str, str]]
    folder: Mapped[str]
    model: Mapped[str | None]
    started_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    error: Mapped[str | None]
    scores: Mapped[list[ScoreRow]] = relationship(order_by=ScoreRow.id, lazy="selectin")
    tags: Mapped[list[TagRow]] = relationship(
        order_by=TagRow.key, lazy="selectin", cascade="all, delete-orphan"
    )

    def record(self) -> Run:
        """The row as others see it."""
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
            data=self.data,
            folder=self.folder,
            model=self.model,
            started_at=self.started_at,
            ended_at=self.ended_at,
            error=self.error,
            scores=tuple(score.record() for score in self.scores),
            tags={tag.key: tag.value for tag in self.tags},
        )


class AliasRow(Base):
    """A name that points to one version of a model."""

    __tablename__ = "aliases"
    __table_args__ = (ForeignKeyConstraint(["name", "version"], ["models.name", "models.version"]),)

    name: Mapped[str] = mapped_column(primary_key=True)
    alias: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]


class ModelRow(Base):
    """One version of a model."""

    __tablename__ = "models"
    __table_args__ = (UniqueConstraint("name", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    version: Mapped[int]
    task: Mapped[str]
    run_id: Mapped[str | None] = mapped_column(ForeignKey("runs.id"))
    folder: Mapped[str]
    sha256: Mapped[str]
    created_at: Mapped[datetime]
    aliases: Mapped[list[AliasRow]] = relationship(order_by=AliasRow.alias, lazy="selectin", viewonly=True)
    scores: Mapped[list[ScoreRow]] = relationship(order_by=ScoreRow.id, lazy="selectin")
    tags: Mapped[list[TagRow]] = relationship(
        order_by=TagRow.key, lazy="selectin", cascade="all, delete-orphan"
    )

    def record(self) -> Model:
        """The row as others see it."""
        return Model(
            name=self.name,
            version=self.version,
            task=self.task,
            run_id=self.run_id,
            folder=self.folder,
            sha256=self.sha256,
            aliases=tuple(row.alias for row in self.aliases),
            created_at=self.created_at,
            scores=tuple(score.record() for score in self.scores),
            tags={tag.key: tag.value for tag in self.tags},
        )
