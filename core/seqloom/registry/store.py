"""The registry: which runs there were, which models they left. A dozen verbs, frozen records in and out."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NotRequired, Self, TypedDict, TypeVar, Unpack

from sqlalchemy import delete
from sqlalchemy.orm import Session

from seqloom.errors import ConfigError
from seqloom.registry.database import Database, sqlite_file
from seqloom.registry.lookup import (
    LATEST,
    alias_row,
    check_name,
    count_versions,
    model_row,
    retag,
    run_row,
    version_row,
)
from seqloom.registry.pages import page
from seqloom.registry.records import Model, Run, RunKind, RunStatus, Score
from seqloom.registry.tables import AliasRow, ModelRow, RunRow, ScoreRow

DEFAULT_URL: Final = "sqlite:///registry.db"
EMPTY_URL: Final = "sqlite://"  # in memory: what reading finds where nobody has written yet
RowT = TypeVar("RowT", RunRow, ModelRow)


def new_run_id(now: datetime | None = None) -> str:
    """A new run's id, as ``20261121-131502-a1b2c3``: they sort by the second (UTC) and differ within it."""
    moment = datetime.now(UTC) if now is None else now.astimezone(UTC)
    return f"{moment:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def runs_folder() -> Path:
    """Where run folders are: ``SEQLOOM_RUNS``, or ``runs`` in the folder one works in."""
    return Path(os.environ.get("SEQLOOM_RUNS") or "runs").absolute()


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
    data: Mapping[str, str]
    folder: NotRequired[str]
    model: NotRequired[str | None]


class Registry:
    """An open registry; any number of processes and threads may use one database at a time.

    Args:
        url: An SQLAlchemy URL; None for ``SEQLOOM_REGISTRY``, and where that is not set for
            ``registry.db`` in the working folder. It is opened by the first verb: one that writes makes
            a database that is not there, one that reads finds nothing in it; an older one is upgraded.
        clock: What time it is, aware.

    Raises:
        ConfigError: The URL makes no sense, or needs a package that is not there.
        StorageError: The database cannot be read or written; any verb may raise it.
        BusyError: Another process wrote for a minute; every verb that writes may raise it.
    """

    def __init__(
        self, url: str | None = None, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._url = url or os.environ.get("SEQLOOM_REGISTRY") or DEFAULT_URL
        self._file = sqlite_file(self._url)
        self._opened: Database | None = None
        self._opening = threading.Lock()
        self._clock = clock

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the database."""
        if self._opened is not None:
            self._opened.close()

    def rest(self) -> None:
        """Keeps no connection until the next verb, which makes its own: for who has little to say.

        Nothing that happens to the database meanwhile can then be missed. One in memory stays as it is.
        """
        if self._opened is not None:
            self._opened.rest()

    def prepare(self) -> None:
        """Opens the database, or makes it, so that what is wrong with it is known before long work."""
        self._open()

    def _open(self) -> Database:
        with self._opening:
            self._opened = self._opened or Database(self._url)
            return self._opened

    def _writing(self) -> AbstractContextManager[Session]:
        return self._open().writing()

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        if self._opened is None and self._file is not None and not self._file.exists():
            with closing(Database(EMPTY_URL)) as empty, empty.reading() as session:
                yield session
        else:
            with self._open().reading() as session:
                yield session

    # Runs ----------------------------------------------------------------------------------------------

    def start_run(self, **facts: Unpack[RunFacts]) -> Run:
        """Enters a run that begins now.

        Args:
            **facts: See :class:`RunFacts`; without an ``id`` it gets a new one.

        Raises:
            ConfigError: There is a run of that id.
        """
        now = self._clock()
        row = RunRow(status="running", started_at=now, **({"id": new_run_id(now), "folder": ""} | facts))
        with self._writing() as session:
            if session.get(RunRow, row.id) is not None:
                raise ConfigError(f"there is a run '{row.id}' already; resume it, or start another")
            session.add(row)
            return _reread(session, row).record()

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
            return _reread(session, row).record()

    def reopen_run(self, run_id: str) -> Run:
        """Makes a run that had stopped a running one again.

        Raises:
            ConfigError: There is no such run in this registry.
        """
        with self._writing() as session:
            row = run_row(session, run_id)
            row.status, row.error, row.ended_at = "running", None, None
            return _reread(session, row).record()

    def add_scores(self, run_id: str, scores: Sequence[Score]) -> Run:
        """Adds scores to a run; older ones of the same metric, split, step and signature give way.

        Raises:
            ConfigError: There is no such run.
        """
        with self._writing() as session:
            row = run_row(session, run_id)
            for score in scores:  # a resumed run comes by the same steps again
                session.execute(
                    delete(ScoreRow).where(
                        ScoreRow.run_id == row.id,
                        ScoreRow.metric == score.metric,
                        ScoreRow.split == score.split,
                        ScoreRow.step == score.step,
                        ScoreRow.signature == score.signature,
                    )
                )
            session.expire(row)
            row.scores.extend(ScoreRow.of(score) for score in scores)
            return _reread(session, row).record()

    def run(self, run_id: str) -> Run:
        """Looks a run up by its id or the beginning of it.

        Raises:
            ConfigError: None is called that, or several begin so.
        """
        with self._reading() as session:
            return run_row(session, run_id).record()

    def runs(
        self, where: str | None = None, limit: int | None = None, *, after: str | None = None
    ) -> list[Run]:
        """Lists runs, newest first unless the query says otherwise.

        Args:
            where: A query, see :mod:`seqloom.registry.language`; None for all.
            limit: How many at most, whatever the query says; None for all.
            after: The last run of the page before, its id; None for the first page.

        Raises:
            UsageError: The query makes no sense.
            ConfigError: There is no run ``after``.
        """
        with self._reading() as session:
            last = None if after is None else run_row(session, after)
            return [row.record() for row in page(session, RunRow, where, limit, last)]

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
            return _reread(session, row).record()

    # Models --------------------------------------------------------------------------------------------

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
                created_at=self._clock(),
                scores=[ScoreRow.of(score) for score in scores],
            )
            session.add(row)
            model = _reread(session, row).record()
            if maker is not None:
                maker.model = model.uri
            return model

    def model(self, uri: str) -> Model:
        """Looks a model up by its URI.

        Args:
            uri: ``name/3``, ``name@alias``, ``name/latest`` or ``name`` for the latest, each with
                ``models:/`` before it or without.

        Raises:
            ConfigError: There is no such model, version or alias.
        """
        with self._reading() as session:
            return model_row(session, uri).record()

    def models(
        self, where: str | None = None, limit: int | None = None, *, after: str | None = None
    ) -> list[Model]:
        """Lists models, newest first unless the query says otherwise.

        Args:
            where: A query, see :mod:`seqloom.registry.language`; None for all.
            limit: How many at most, whatever the query says; None for all.
            after: The last model of the page before, its URI; None for the first page.

        Raises:
            UsageError: The query makes no sense.
            ConfigError: There is no model ``after``.
        """
        with self._reading() as session:
            last = None if after is None else model_row(session, after)
            return [row.record() for row in page(session, ModelRow, where, limit, last)]

    def tag_model(self, uri: str, tags: Mapping[str, str | None]) -> Model:
        """Says something of a version of a model; as :meth:`tag_run`."""
        with self._writing() as session:
            row = model_row(session, uri)
            retag(row, tags)
            return _reread(session, row).record()

    def set_alias(self, name: str, version: int, alias: str) -> Model:
        """Lets an alias point to a version, and no longer to another.

        Raises:
            ConfigError: The alias cannot be one, or there is no such version.
        """
        check_name("an alias", alias)
        if alias == LATEST:
            raise ConfigError(f"'{LATEST}' always is the newest version; choose another alias")
        with self._writing() as session:
            row = version_row(session, name, version)
            session.merge(AliasRow(name=name, alias=alias, version=version))
            return _reread(session, row).record()

    def remove_alias(self, name: str, alias: str) -> Model:
        """Forgets an alias.

        Returns:
            The version that it pointed to.

        Raises:
            ConfigError: There is no such alias.
        """
        with self._writing() as session:
            found = alias_row(session, name, alias)
            row = version_row(session, name, found.version)
            session.delete(found)
            return _reread(session, row).record()


def _reread(session: Session, row: RowT) -> RowT:
    """The row as the database has it by now, what hangs on it included."""
    session.flush()
    session.expire(row)
    return row
