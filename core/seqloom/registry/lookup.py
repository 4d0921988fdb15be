"""How names become rows, and what is said where they do not; inside a session of the store's."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seqloom.errors import ConfigError, did_you_mean, unknown_name
from seqloom.registry.scores import OwnerColumn, SummaryRow, column_of
from seqloom.registry.tables import AliasRow, ModelRow, RunRow
from seqloom.registry.texts import in_code_points

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
VERSION: Final = re.compile(r"[0-9]{1,9}")
SCHEME: Final = "models:/"
RUN_SCHEME: Final = "runs:/"
LATEST: Final = "latest"
HIGHEST: Final = 2**31 - 1
"""No version is above it."""
SHOWN: Final = 5  # ids named in an error


def check_name(kind: str, name: str) -> None:
    """Raises ConfigError where a name could not stand in a model's URI."""
    if not NAME.fullmatch(name):
        raise ConfigError(
            f"'{name}' is no name for {kind}: use up to 100 letters, digits, '.', '_' and '-', "
            "a letter or a digit first"
        )


def run_row(session: Session, run_id: str) -> RunRow:
    """The run of that id, or else the only one whose id begins so."""
    exact = session.get(RunRow, run_id)
    if exact is not None:
        return exact
    newest_first = select(RunRow).order_by(RunRow.started_at.desc(), RunRow.id.desc())
    place = in_code_points(RunRow.id)
    begin_so = select(RunRow.id).where(place >= run_id, place < run_id + chr(sys.maxunicode))
    they = newest_first.where(RunRow.id.in_(begin_so)).limit(SHOWN)
    found = session.scalars(they).all() if run_id else []
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigError(f"several runs begin with '{run_id}' ({_listed(found)}); give more of the id")
    newest = session.scalars(newest_first.limit(SHOWN)).all()
    known = session.scalars(select(RunRow.id))
    hint = did_you_mean(run_id, known)
    raise ConfigError(f"no run '{run_id}' in this registry; the newest are: {_listed(newest)}.{hint}")


def _listed(runs: Sequence[RunRow]) -> str:
    return ", ".join(run.id for run in runs) or "none"


def model_row(session: Session, uri: str) -> ModelRow:
    """The version that a URI names; without version or alias the latest."""
    if uri.startswith(RUN_SCHEME):
        return made_row(session, uri.removeprefix(RUN_SCHEME))
    path = uri.removeprefix(SCHEME)
    if "@" in path:
        name, _, alias = path.partition("@")
        return version_row(session, name, alias_row(session, name, alias).version)
    name, _, version = path.partition("/")
    if version in {"", LATEST}:
        return version_row(session, name, latest_version(session, name))
    if not VERSION.fullmatch(version):
        raise ConfigError(
            f"'{uri}' is not the URI of a model; write {name}/3, {name}/{LATEST}, {name}@alias or {name}"
        )
    return version_row(session, name, int(version))


def made_row(session: Session, run_id: str) -> ModelRow:
    """The model that a run made; of several the newest that is not deleted, if there is one."""
    run = run_row(session, run_id)
    best = (ModelRow.deleted_at.is_not(None), ModelRow.id.desc())
    of_it = select(ModelRow).where(ModelRow.run_id == run.id).order_by(*best)
    row = session.scalars(of_it.limit(1)).first()
    if row is None:
        used = f"; it used {run.model}" if run.model is not None else ""
        raise ConfigError(f"run {run.id} ({run.kind}) made no model that is registered{used}")
    return row


def version_row(session: Session, name: str, version: int) -> ModelRow:
    """One version of a model."""
    there = (ModelRow.name == name, ModelRow.version == version)
    row = session.scalar(select(ModelRow).where(*there)) if 0 < version <= HIGHEST else None
    if row is None:
        latest = latest_version(session, name, deleted=True)
        raise ConfigError(f"no version {version} of model '{name}'; the latest is {latest}")
    return row


def alias_row(session: Session, name: str, alias: str) -> AliasRow:
    """Where an alias points to."""
    row = session.get(AliasRow, (name, alias))
    if row is None:
        latest_version(session, name, deleted=True)  # is there such a model at all?
        aliases = session.scalars(select(AliasRow.alias).where(AliasRow.name == name))
        known = [f"{name}@{other}" for other in aliases]
        raise ConfigError(unknown_name("alias", f"{name}@{alias}", known))
    return row


def latest_version(session: Session, name: str, *, deleted: bool = False) -> int:
    """The newest version of a model, of those that were not deleted or of all."""
    newest = count_versions(session, name)
    if newest == 0:
        raise ConfigError(unknown_name("model", name, session.scalars(select(ModelRow.name).distinct())))
    if deleted:
        return newest
    there = select(func.max(ModelRow.version)).where(ModelRow.name == name, ModelRow.deleted_at.is_(None))
    latest = session.scalar(there)
    if latest is None:
        raise ConfigError(f"all versions of model '{name}' are deleted; the newest was {newest}")
    return latest


def count_versions(session: Session, name: str) -> int:
    """How many versions a model ever had: 0 where there is no such model."""
    return session.scalar(select(func.max(ModelRow.version)).where(ModelRow.name == name)) or 0


def metrics(session: Session, owner: OwnerColumn) -> list[str]:
    """Names of the scores that runs or models have."""
    there = column_of(SummaryRow, owner).is_not(None)
    return list(session.scalars(select(SummaryRow.metric).where(there).distinct()))
