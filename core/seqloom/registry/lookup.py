"""How names become rows, and what is said where they do not; inside a session of the store's."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from seqloom.errors import ConfigError, did_you_mean, unknown_name
from seqloom.registry.tables import AliasRow, ModelRow, RunRow, ScoreRow, TagRow

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
VERSION: Final = re.compile(r"[0-9]{1,9}")
SCHEME: Final = "models:/"
LATEST: Final = "latest"
SHOWN: Final = 5  # ids named in an error
LONGEST_TAG: Final = 1000


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
    begins_so = newest_first.where(RunRow.id.startswith(run_id, autoescape=True)).limit(SHOWN)
    found = session.scalars(begins_so).all() if run_id else []
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


def version_row(session: Session, name: str, version: int) -> ModelRow:
    """One version of a model."""
    row = session.scalar(select(ModelRow).where(ModelRow.name == name, ModelRow.version == version))
    if row is None:
        latest = latest_version(session, name)
        raise ConfigError(f"no version {version} of model '{name}'; the latest is {latest}")
    return row


def alias_row(session: Session, name: str, alias: str) -> AliasRow:
    """Where an alias points to."""
    row = session.get(AliasRow, (name, alias))
    if row is None:
        latest_version(session, name)  # is there such a model at all?
        aliases = session.scalars(select(AliasRow.alias).where(AliasRow.name == name))
        known = [f"{name}@{other}" for other in aliases]
        raise ConfigError(unknown_name("alias", f"{name}@{alias}", known))
    return row


def latest_version(session: Session, name: str) -> int:
    """The newest version of a model."""
    latest = count_versions(session, name)
    if latest == 0:
        raise ConfigError(unknown_name("model", name, session.scalars(select(ModelRow.name).distinct())))
    return latest


def count_versions(session: Session, name: str) -> int:
    """How many versions a model has: 0 where there is no such model."""
    return session.scalar(select(func.max(ModelRow.version)).where(ModelRow.name == name)) or 0


def retag(row: RunRow | ModelRow, tags: Mapping[str, str | None]) -> None:
    """Sets a run's or a model's tags, and takes those away whose value is None."""
    there = {tag.key: tag for tag in row.tags}
    for key, value in tags.items():
        check_name("a tag", key)
        if value is None:
            if key not in there:
                raise ConfigError(unknown_name("tag", key, there))
            row.tags.remove(there[key])
        elif not value.isprintable() or len(value) > LONGEST_TAG:
            raise ConfigError(
                f"tag {key}: {value[:40]!r} is no value: use up to {LONGEST_TAG} characters of one line"
            )
        elif key in there:
            there[key].value = value
        else:
            row.tags.append(TagRow(key=key, value=value))


def metrics(session: Session, owner: InstrumentedAttribute[Any]) -> list[str]:
    """Names of the scores that runs (by ``ScoreRow.run_id``) or models (``ScoreRow.model_id``) have."""
    return list(session.scalars(select(ScoreRow.metric).where(owner.is_not(None)).distinct()))
