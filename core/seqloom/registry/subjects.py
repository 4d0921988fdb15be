"""The registry's verb about what can be compared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from seqloom.registry.called import called
from seqloom.registry.comparison import Measured, Subject, measured
from seqloom.registry.lookup import RUN_SCHEME
from seqloom.registry.opened import Opened
from seqloom.registry.records import DataFile, Model, Run
from seqloom.registry.scores import scores_of
from seqloom.registry.tables import RunDataRow, RunRow


class SubjectVerbs(Opened):
    """What is asked to compare."""

    def subject(self, name: str) -> Subject:
        """A run or a model as it is compared, see :func:`seqloom.registry.comparison.compare`.

        A model has its own scores and those of all evaluations of it that are not deleted; what else is
        known of it is what is known of the run that made it.

        Args:
            name: A model's URI in any form, a run's id or the beginning of it; or ``runs:/ID``, which is
                the run itself where it made no model that is registered.

        Raises:
            ConfigError: There is no such run or model, or several are called so.
        """
        with self._reading() as session:
            row = called(session, name)
            if isinstance(row, RunRow):
                return Subject.of(row.record())
            model = row.record()
            maker = None if model.run_id is None else session.get_one(RunRow, model.run_id).record()
            return Subject(name=model.uri, run=maker, scores=tuple(_scores(session, model, maker)))


def _scores(session: Session, model: Model, maker: Run | None) -> Iterator[Measured]:
    """A model's scores, oldest first; those of its run at other steps are of other weights."""
    yield from measured(model.scores, () if maker is None else maker.data)
    names = [model.uri, f"{RUN_SCHEME}{model.run_id}"]
    of_it = (RunRow.model.in_(names), RunRow.kind == "evaluate", RunRow.deleted_at.is_(None))
    read: dict[str, list[DataFile]] = defaultdict(list)
    used = select(RunDataRow.run_id, RunDataRow.split, RunDataRow.path, RunDataRow.sha256)
    for run_id, split, path, sha256 in session.execute(used.join(RunRow).where(*of_it)):
        read[run_id].append(DataFile(path=path, sha256=sha256, split=split))
    judging = select(RunRow.id).where(*of_it).order_by(RunRow.started_at, RunRow.id)
    for judge, scores in scores_of(session, "run_id", session.scalars(judging).all()).items():
        yield from measured(scores, read[str(judge)])
