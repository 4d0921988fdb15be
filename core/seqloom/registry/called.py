"""What a person means who names a run or a model; inside a session of the store's."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from seqloom.errors import ConfigError, did_you_mean
from seqloom.registry.lookup import RUN_SCHEME, SCHEME, count_versions, made_row, model_row, run_row
from seqloom.registry.tables import ModelRow, RunRow


def called(session: Session, name: str) -> RunRow | ModelRow:
    """The run or the model that is called so.

    Args:
        session: Of the database.
        name: A model's URI in any form; ``runs:/ID``, which is the run itself where it made no model that
            is registered; a run's id, or the beginning of it where no model has that name.

    Raises:
        ConfigError: There is none, or there are several.
    """
    if name.startswith(RUN_SCHEME):
        run = run_row(session, name.removeprefix(RUN_SCHEME))
        has_model = (
            session.scalar(select(ModelRow.id).where(ModelRow.run_id == run.id).limit(1)) is not None
        )
        return made_row(session, run.id) if has_model else run
    exact = session.get(RunRow, name)
    if exact is not None:
        return exact
    if name.startswith(SCHEME) or "/" in name or "@" in name or count_versions(session, name) > 0:
        return model_row(session, name)
    begins_so = select(RunRow.id).where(RunRow.id.startswith(name, autoescape=True)).limit(1)
    if name and session.scalar(begins_so) is not None:
        return run_row(session, name)
    models = session.scalars(select(ModelRow.name).distinct().order_by(ModelRow.name)).all()
    hint = did_you_mean(name, [*models, *session.scalars(select(RunRow.id))])
    listed = ", ".join(models) or "none"
    raise ConfigError(f"no model and no run '{name}' in this registry; the models are: {listed}.{hint}")
