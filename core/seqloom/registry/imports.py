"""The registry's verb about models that come from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict, Unpack

from seqloom.errors import ConfigError
from seqloom.registry.lookup import check_name, count_versions
from seqloom.registry.opened import Opened, reread
from seqloom.registry.records import Model, Note, Score
from seqloom.registry.runs import RunFacts
from seqloom.registry.saying import add_note, retag
from seqloom.registry.scores import Owner, enter
from seqloom.registry.tables import ModelRow, RunRow
from seqloom.registry.used import use_data


class ImportFacts(TypedDict):
    """What is known of a model that is imported."""

    folder: str
    sha256: str
    scores: Sequence[Score]
    tags: Mapping[str, str]
    notes: Sequence[Note]


class ImportVerbs(Opened):
    """What is told about imports."""

    def place(self) -> str:
        """What tells this registry from others: its file, or where its server is, without a password."""
        return self._open().place

    def import_model(self, brought: ImportFacts, **run: Unpack[RunFacts]) -> Model:
        """Enters a model that came from elsewhere as the next version, with the run that brought it.

        All of it is entered, or nothing.

        Args:
            brought: The model; its name and task are the run's.
            **run: See :class:`~seqloom.registry.runs.RunFacts`; with an ``id``. It has finished by now.

        Raises:
            ConfigError: The name, a tag or a note cannot be one, or there is a run of that id.
        """
        check_name("a model", run["name"])
        now = self._clock()
        columns = {name: value for name, value in run.items() if name != "data"}
        with self._writing() as session:
            if session.get(RunRow, run["id"]) is not None:
                raise ConfigError(f"there is a run '{run['id']}' already; try again")
            maker = RunRow(status="finished", started_at=now, ended_at=now, **columns)
            session.add(maker)
            session.flush()
            use_data(session, maker.id, run["data"])
            row = ModelRow(
                name=run["name"],
                version=1 + count_versions(session, run["name"]),
                task=run["task"],
                run_id=maker.id,
                folder=brought["folder"],
                sha256=brought["sha256"],
                created_at=now,
            )
            session.add(row)
            session.flush()
            enter(session, Owner("model_id", row.id), brought["scores"])
            retag(row, brought["tags"])
            for note in brought["notes"]:
                add_note(row, note.text, note.at)
            entered = reread(session, row).record()
            maker.model = entered.uri
            return entered
