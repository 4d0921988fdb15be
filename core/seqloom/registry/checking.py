"""Does a registry say what is so? Of the database itself, of what is in it, and of the run folders."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seqloom.errors import CorruptError
from seqloom.registry import mirror
from seqloom.registry.changes import Changes, record_of
from seqloom.registry.database import Database
from seqloom.registry.folders import WAITING, manifest_sha256
from seqloom.registry.holding import is_held
from seqloom.registry.lookup import SCHEME, VERSION
from seqloom.registry.mirror import RunRecord
from seqloom.registry.place import sqlite_file
from seqloom.registry.records import Model
from seqloom.registry.survey import broken_references, damage
from seqloom.registry.tables import AliasRow, ModelRow, RunRow

REBUILD: Final = "seqloom registry rebuild makes it anew of the run folders"
MEND: Final = "seqloom registry check --mend"


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be.

    Attributes:
        about: Whose it is: ``database``, a run's id, a model's URI, ``name@alias``.
        found: What was found.
        advice: What to do.
        kind: ``damage``, ``reference``, ``version``, ``alias``, ``folder``, ``manifest``, ``record``,
            ``waiting`` for what a run could not tell yet, ``gone`` for one whose process is gone.
        is_mended: Whether it was put right.
    """

    about: str
    found: str
    advice: str
    kind: str
    is_mended: bool = False


def check(url: str, *, mend: bool = False) -> Iterator[Finding]:
    """Looks for what is wrong with a registry.

    Args:
        url: Where it is; there must be one, of the newest schema.
        mend: Writes records in run folders anew where they differ from the database, and says of runs
            whose process is gone that they were interrupted.

    Raises:
        StorageError: The database cannot be read.
        BusyError: It is locked.
    """
    file = sqlite_file(url)
    if file is not None:
        damaged = list(_of_file(file))
        yield from damaged
        if any(finding.kind == "damage" for finding in damaged):
            return
    with closing(Database(url)) as database:
        with database.reading() as session:
            ids = list(session.scalars(select(RunRow.id).order_by(RunRow.started_at, RunRow.id)))
            yield from _of_versions(session)
            yield from _of_aliases(session)
            yield from _of_models(session)
        for run_id in ids:
            yield from _of_run(database, run_id, mend=mend)


def run_folders(url: str) -> list[Path]:
    """Where the registry says that runs have their files."""
    with closing(Database(url)) as database, database.reading() as session:
        folders = select(RunRow.folder).where(RunRow.folder != "").order_by(RunRow.started_at, RunRow.id)
        return [Path(folder) for folder in session.scalars(folders)]


def _of_file(file: Path) -> Iterator[Finding]:
    try:
        why = damage(file)
        broken = [] if why else broken_references(file)
    except sqlite3.Error as error:
        why, broken = str(error), []
    if why is not None:
        yield Finding("database", f"it is damaged: {why}", REBUILD, "damage")
    for found in broken:
        yield Finding("database", found, REBUILD, "reference")


# What the database says --------------------------------------------------------------------------------


def _of_versions(session: Session) -> Iterator[Finding]:
    counted = select(ModelRow.name, func.count(), func.max(ModelRow.version)).group_by(ModelRow.name)
    for name, number, highest in session.execute(counted.order_by(ModelRow.name)):
        if number != highest:
            found = f"its versions end with {highest}, and there are {number}"
            yield Finding(f"{SCHEME}{name}", found, REBUILD, "version")


def _of_aliases(session: Session) -> Iterator[Finding]:
    """Those that lead nowhere."""
    of_it = (ModelRow.name == AliasRow.name) & (ModelRow.version == AliasRow.version)
    wanted = select(AliasRow, ModelRow).join(ModelRow, of_it, isouter=True)
    for alias, model in session.execute(wanted.order_by(AliasRow.name, AliasRow.alias)):
        if model is None or model.deleted_at is not None:
            state = "not there" if model is None else "deleted"
            yield Finding(
                f"{alias.name}@{alias.alias}",
                f"it points to version {alias.version}, which is {state}",
                f"seqloom models alias {alias.name} {alias.alias} --remove",
                "alias",
            )


def _of_models(session: Session) -> Iterator[Finding]:
    there = select(ModelRow).where(ModelRow.deleted_at.is_(None), ModelRow.purged_at.is_(None))
    for row in session.scalars(there.order_by(ModelRow.name, ModelRow.version)):
        model = row.record([])
        finding = _of_folder(model)
        if finding is not None:
            yield finding


def _of_folder(model: Model) -> Finding | None:
    """Whether a model's folder is there, and is the one that was registered."""
    folder = Path(model.folder)
    remove = f"put it back, or: seqloom models rm {model.name}/{model.version}"
    if not folder.is_dir():
        return Finding(model.uri, f"its folder {folder} is not there", remove, "folder")
    try:
        digest = manifest_sha256(folder)
    except OSError as error:
        found = f"the manifest in {folder} cannot be read: {error.strerror}"
        return Finding(model.uri, found, remove, "manifest")
    if digest != model.sha256:
        return Finding(
            model.uri, f"{folder} is not what was registered: another manifest is in it", remove, "manifest"
        )
    return None


# Runs and their folders --------------------------------------------------------------------------------


def _of_run(database: Database, run_id: str, *, mend: bool) -> Iterator[Finding]:
    with database.reading() as session:
        row = session.get(RunRow, run_id)
        if row is None:  # nothing ever removes one
            return
        record = record_of(session, row)
        model = _missing_model(session, row)
    if model is not None:
        yield Finding(run_id, f"it speaks of {model}, which is not there", REBUILD, "reference")
    folder = Path(record.run.folder)
    if not record.run.folder:
        return
    if not folder.is_dir():
        if record.run.deleted_at is None:
            advice = f"put it back, or: seqloom runs rm {run_id}"
            yield Finding(run_id, f"its folder {folder} is not there", advice, "folder")
        return
    if not is_held(folder):
        yield from _of_left(database, record, folder, mend=mend)
    if _difference(record, folder) is not None:
        yield from _of_record(database, run_id, folder, mend=mend)


def _missing_model(session: Session, row: RunRow) -> str | None:
    """The model that a run made or used, where it is none of the registry's."""
    name, _, version = (row.model or "").removeprefix(SCHEME).partition("/")
    if row.model is None or not row.model.startswith(SCHEME) or not VERSION.fullmatch(version):
        return None
    is_it = (ModelRow.name == name) & (ModelRow.version == int(version))
    return row.model if session.scalar(select(ModelRow.id).where(is_it)) is None else None


def _of_left(database: Database, record: RunRecord, folder: Path, *, mend: bool) -> Iterator[Finding]:
    """What a run left whose process is gone."""
    run = record.run
    if (folder / WAITING).exists():
        found = f"what it could not tell the registry waits in {folder / WAITING}"
        yield Finding(run.id, found, f"{MEND}, or: seqloom resume {run.id}", "waiting")
    elif run.status == "running":
        again = f"seqloom resume {run.id}" if run.kind == "train" else "run it again"
        if mend:
            with database.writing() as session:
                changes = Changes(session)
                row = session.get_one(RunRow, run.id)
                row.status, row.ended_at = "interrupted", _last_sign(folder)
                row.error = "its process is gone"
                changes.write()
        yield Finding(
            run.id,
            "it is said to be running, and no process works in its folder",
            f"{again}, or {MEND} to say that it was interrupted",
            "gone",
            is_mended=mend,
        )


def _last_sign(folder: Path) -> datetime:
    """When a run wrote last."""
    log = folder / "metrics.jsonl"
    return datetime.fromtimestamp((log if log.exists() else folder).stat().st_mtime, UTC)


def _of_record(database: Database, run_id: str, folder: Path, *, mend: bool) -> Iterator[Finding]:
    """A record that is not as the database has it; looked at once more while nobody writes."""
    with database.writing() as session:
        record = record_of(session, session.get_one(RunRow, run_id))
        found = _difference(record, folder)
        is_mended = False
        if found is not None and mend:
            try:
                mirror.write(folder, record)
                is_mended = True
            except OSError as error:
                found = f"{found}, and cannot be written: {error.strerror}"
    if found is not None:
        yield Finding(run_id, found, f"{MEND} writes it anew", "record", is_mended=is_mended)


def _difference(record: RunRecord, folder: Path) -> str | None:
    """What is wrong with the record in a run's folder, None where it is as the database has it."""
    try:
        found, damaged = mirror.read(folder)
    except FileNotFoundError:
        return f"it has no {mirror.FILE} in its folder, which a rebuild would need"
    except (OSError, CorruptError) as error:
        return str(error)
    if damaged or mirror.text(_own(found)) != mirror.text(_own(record)):
        return f"{folder / mirror.FILE} is not what the database has of it"
    return None


def _own(record: RunRecord) -> RunRecord:
    """Without what other runs may have said of the same files, and what names its place in one database."""
    data = tuple(replace(file, bytes=None, rows=None) for file in record.run.data)
    models = tuple(replace(made, place=0) for made in record.models)
    return replace(record, run=replace(record.run, data=data), models=models)
