"""The registry's verbs about what is deleted for good: which files may go, and that they went.

A row is marked as purged before its first file goes, in the transaction that looks once more whether it
may: from then on nobody can take it back, and whoever dies on the way leaves files that
:meth:`RemovalVerbs.deleted_models` and :meth:`RemovalVerbs.deleted_runs` still tell of.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePath
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from seqloom.errors import ConfigError
from seqloom.registry.lookup import SCHEME, run_row, version_row
from seqloom.registry.opened import Opened, reread
from seqloom.registry.records import Model, Run
from seqloom.registry.tables import ModelRow, RunRow


class RemovalVerbs(Opened):
    """What is asked and told about files that are to go."""

    def deleted_models(self) -> list[Model]:
        """All versions that are marked as deleted, purged or not, in the order in which they were made."""
        with self._reading() as session:
            deleted = select(ModelRow).where(ModelRow.deleted_at.is_not(None)).order_by(ModelRow.id)
            return [row.record() for row in session.scalars(deleted)]

    def deleted_runs(self) -> list[Run]:
        """All runs that are marked as deleted, purged or not, oldest first."""
        with self._reading() as session:
            deleted = select(RunRow).where(RunRow.deleted_at.is_not(None))
            return [row.record() for row in session.scalars(deleted.order_by(RunRow.started_at, RunRow.id))]

    def kept_folders(self, within: str | None = None) -> dict[str, str]:
        """Whose files have not been given up: folders by the URI of the model or the id of the run.

        Args:
            within: This folder, and what is in it; None for all.
        """
        models = select(ModelRow.name, ModelRow.version, ModelRow.folder).where(
            ModelRow.purged_at.is_(None)
        )
        runs = select(RunRow.id, RunRow.folder).where(RunRow.purged_at.is_(None), RunRow.folder != "")
        if within is not None:
            models = models.where(_within(ModelRow.folder, within))
            runs = runs.where(_within(RunRow.folder, within))
        with self._reading() as session:
            kept = {run_id: folder for run_id, folder in session.execute(runs)}  # noqa: C416 - rows, not pairs
            for name, version, folder in session.execute(models):
                kept[f"{SCHEME}{name}/{version}"] = folder
            return kept

    def purge_model(self, name: str, version: int, before: datetime) -> Model:
        """Gives up the folder of a version, which the caller removes next; the row stays.

        Args:
            name: The model.
            version: Which of its versions.
            before: When it must have been deleted by.

        Raises:
            ConfigError: It may not be taken (any more): it is not deleted or not for long enough, an alias
                points to it, or its folder has something of another model or run that is kept.
        """
        with self._writing() as session:
            row = version_row(session, name, version)
            model = row.record()
            _check_deleted(model.uri, row.deleted_at, before)
            if model.aliases:
                raise ConfigError(f"{model.uri} is {model.name}@{model.aliases[0]}")
            if other := _other_claim(session, model):
                raise ConfigError(f"{model.folder} has something of {other}")
            row.purged_at = row.purged_at or self._clock()
            return reread(session, row).record()

    def purge_run(self, run_id: str, before: datetime) -> Run:
        """Gives up what a run left, which the caller removes next, but no model; the row stays.

        Args:
            run_id: The run.
            before: When it must have been deleted by.

        Raises:
            ConfigError: It may not be taken (any more): it is not deleted, or not for long enough.
        """
        with self._writing() as session:
            row = run_row(session, run_id)
            _check_deleted(f"run {row.id}", row.deleted_at, before)
            row.purged_at = row.purged_at or self._clock()
            return reread(session, row).record()


def _check_deleted(what: str, deleted_at: datetime | None, before: datetime) -> None:
    if deleted_at is None:
        raise ConfigError(f"{what} is not deleted any more")
    if deleted_at > before:
        raise ConfigError(f"{what} was deleted at {deleted_at:%Y-%m-%d %H:%M:%S} UTC, and not before")


def _other_claim(session: Session, model: Model) -> str | None:
    """A model or run whose files would go with a model's folder, or which has that in its own."""
    is_other = (ModelRow.name != model.name) | (ModelRow.version != model.version)
    around = [str(parent) for parent in PurePath(model.folder).parents]
    mine = or_(_within(ModelRow.folder, model.folder), ModelRow.folder.in_(around))
    row = session.scalars(
        select(ModelRow).where(ModelRow.purged_at.is_(None), is_other, mine).limit(1)
    ).first()
    if row is not None:
        return row.record().uri
    runs = select(RunRow.id).where(RunRow.purged_at.is_(None), _within(RunRow.folder, model.folder))
    run_id = session.scalar(runs.limit(1))
    return None if run_id is None else f"run {run_id}"


def _within(column: InstrumentedAttribute[Any], folder: str) -> ColumnElement[bool]:
    return (column == folder) | column.startswith(f"{folder}/", autoescape=True)
