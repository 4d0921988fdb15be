"""The registry's verbs about models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy.orm.attributes import set_committed_value

from seqloom.errors import ConfigError
from seqloom.registry.lookup import check_name, count_versions, model_row, run_row
from seqloom.registry.opened import Opened, reread
from seqloom.registry.pages import page
from seqloom.registry.records import Model, Score
from seqloom.registry.saying import add_note, mark_deleted, mark_restored, retag
from seqloom.registry.scores import Owner, enter, scores_of
from seqloom.registry.tables import ModelRow


class ModelVerbs(Opened):
    """What is asked and told about models."""

    def add_model(
        self, name: str, task: str, run_id: str | None, folder: str, sha256: str, scores: Sequence[Score]
    ) -> Model:
        """Registers a folder as the next version of a model.

        Args:
            name: The model's name.
            task: The task's name.
            run_id: The run that made it, which is told so; None where it came from elsewhere.
            folder: Its files (absolute).
            sha256: Of the folder's ``manifest.json``.
            scores: Those of its best checkpoint.

        Raises:
            ConfigError: The name cannot be one, or there is no such run.
        """
        check_name("a model", name)
        with self._writing() as session:
            maker = None if run_id is None else run_row(session, run_id)
            row = ModelRow(
                name=name,
                version=1 + count_versions(session, name),
                task=task,
                run_id=maker and maker.id,
                folder=folder,
                sha256=sha256,
                created_at=self._clock().astimezone(UTC),
                tags=[],
                notes=[],
            )
            set_committed_value(row, "aliases", [])  # it is new, and others wait: nothing hangs on it yet
            session.add(row)
            session.flush()
            enter(session, Owner("model_id", row.id), scores, is_new=True)
            model = row.record(scores)
            if maker is not None:
                maker.model = model.uri
            return model

    def model(self, uri: str) -> Model:
        """Looks a model up by its URI; a version that was deleted is found by its number alone.

        Args:
            uri: ``name/3``, ``name@alias``, ``name/latest`` or ``name`` for the latest, each with
                ``models:/`` before it or without; or ``runs:/ID`` for what a run made.

        Raises:
            ConfigError: There is no such model, version, alias or run, or it made no model.
        """
        with self._reading() as session:
            return model_row(session, uri).record()

    def models(
        self,
        where: str | None = None,
        limit: int | None = None,
        *,
        after: str | None = None,
        deleted: bool = False,
    ) -> list[Model]:
        """Lists models, newest first unless the query says otherwise.

        Args:
            where: A query, see :mod:`seqloom.registry.language`; None for all.
            limit: How many at most, whatever the query says; None for all.
            after: The last model of the page before, its URI; None for the first page.
            deleted: Whether those that were deleted are among them.

        Raises:
            UsageError: The query makes no sense.
            ConfigError: There is no model ``after``.
        """
        with self._reading() as session:
            last = None if after is None else model_row(session, after)
            rows = page(session, ModelRow, where, limit, last, deleted=deleted, ways=self._ways)
            scores = scores_of(session, "model_id", [row.id for row in rows])
            return [row.record(scores[row.id]) for row in rows]

    def tag_model(self, uri: str, tags: Mapping[str, str | None]) -> Model:
        """Says something of a version of a model; as :meth:`~seqloom.registry.runs.RunVerbs.tag_run`."""
        with self._writing() as session:
            row = model_row(session, uri)
            retag(row, tags)
            return reread(session, row).record()

    def note_model(self, uri: str, text: str, at: datetime | None = None) -> Model:
        """Adds a note to a version of a model; as :meth:`~seqloom.registry.runs.RunVerbs.note_run`."""
        with self._writing() as session:
            row = model_row(session, uri)
            add_note(row, text, at or self._clock())
            return reread(session, row).record()

    def delete_model(self, uri: str) -> Model:
        """Marks a version of a model as deleted: no list has it, it is never the latest; nothing is gone.

        Raises:
            ConfigError: There is no such version, it is deleted already, or aliases point to it.
        """
        with self._writing() as session:
            row = model_row(session, uri)
            model = row.record()
            if model.aliases:
                held = ", ".join(f"{model.name}@{alias}" for alias in model.aliases)
                raise ConfigError(f"{model.uri} is {held}; point that elsewhere first, or take it away")
            mark_deleted(model.uri, row, self._clock())
            return reread(session, row).record()

    def restore_model(self, uri: str) -> Model:
        """Takes back that a version of a model was deleted.

        Raises:
            ConfigError: There is no such version, it is not deleted, or its files are gone.
        """
        with self._writing() as session:
            row = model_row(session, uri)
            mark_restored(row.record().uri, row)
            return reread(session, row).record()
