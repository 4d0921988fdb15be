"""Which registry do the records of many run folders make together?

Folders know of themselves alone, and were written at different moments: two may claim one version or one
alias, a number may be known to none of them. What is decided here is said in a remark each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from seqloom.registry.folders import NOT_KNOWN, Told
from seqloom.registry.mirror import MadeModel, RunRecord
from seqloom.registry.records import AliasChange, Model


@dataclass(frozen=True)
class Plan:
    """A registry to be.

    Attributes:
        records: Of the runs, by the time of their beginning.
        models: By the time of their making, all that ever had a number; without aliases.
        aliases: Which version each alias of each model points to.
        changes: Of aliases, oldest first.
        remarks: What is not as it was, and why; a line each.
    """

    records: list[RunRecord]
    models: list[Model]
    aliases: dict[tuple[str, str], int]
    changes: list[AliasChange]
    remarks: list[str] = field(default_factory=list)


def plan(folders: Iterable[Told]) -> Plan:
    """Brings together what folders tell."""
    remarks: list[str] = []
    records = _records(folders, remarks)
    by_name: dict[str, list[MadeModel]] = defaultdict(list)
    for record in records.values():
        for made in record.models:
            by_name[made.model.name].append(made)
    changes = _changes(record.models for record in records.values())
    numbered: list[MadeModel] = []
    for name, several in sorted(by_name.items()):
        named = {change.version for change in changes if change.name == name}
        named |= {change.former for change in changes if change.name == name}
        numbered += _numbered(several, max(filter(None, named), default=0), remarks)
    aliases = _aliases(numbered, changes, remarks)
    for made in numbered:
        maker = records.get(made.model.run_id or "")
        if maker is not None and _needs_its_model(maker, made.model):
            records[maker.run.id] = replace(maker, run=replace(maker.run, model=made.model.uri))
    return Plan(
        sorted(records.values(), key=lambda record: (record.run.started_at, record.run.id)),
        [replace(made.model, aliases=()) for made in sorted(numbered, key=_age)],
        aliases,
        changes,
        remarks,
    )


def _records(folders: Iterable[Told], remarks: list[str]) -> dict[str, RunRecord]:
    """By their run's id; of copies of a folder, that of the run's name counts."""
    found: dict[str, RunRecord] = {}
    for told in folders:
        remarks += told.remarks
        if told.record is None:
            continue
        run_id = told.record.run.id
        if run_id not in found:
            found[run_id] = told.record
        elif told.folder.name == run_id:
            remarks.append(_left_out(found[run_id].run.folder, told.folder, run_id))
            found[run_id] = told.record
        else:
            remarks.append(_left_out(told.folder, found[run_id].run.folder, run_id))
    return found


def _left_out(folder: object, other: object, run_id: str) -> str:
    return f"{folder}: left out, as {other} is of run {run_id}, too"


def _age(made: MadeModel) -> tuple[datetime, int, str, int]:
    return made.model.created_at, made.place, made.model.name, made.model.version


def _needs_its_model(maker: RunRecord, model: Model) -> bool:
    """Whether a run's record does not say which model it made, or says it of a number that another has."""
    own = {made.model.uri for made in maker.models}
    return maker.run.model is None or (model.uri not in own and maker.run.model in own)


# Versions ----------------------------------------------------------------------------------------------


def _numbered(several: Sequence[MadeModel], highest: int, remarks: list[str]) -> list[MadeModel]:
    """The versions of one model, without a gap, from 1 to at least the highest that is spoken of."""
    found: dict[int, MadeModel] = {}
    homeless = []
    for made in sorted(several, key=_age, reverse=True):
        version = made.model.version
        if version == NOT_KNOWN:
            continue
        if version in found:
            homeless.append(made)
        else:
            found[version] = made
    unknown = sorted((made for made in several if made.model.version == NOT_KNOWN), key=_age)
    free = _free(found, max(highest, *found, 0) if found else highest)
    for made in unknown:  # older than records are: theirs are the numbers that no record has
        version = next(free)
        found[version] = _as_version(made, version)
        remarks.append(
            f"{found[version].model.uri}: {made.model.folder} does not say its number; it goes by age"
        )
    for made in reversed(homeless):
        version = max(highest, *found) + 1
        holder = found[made.model.version].model
        found[version] = _as_version(made, version)
        remarks.append(
            f"{made.model.uri}: runs {made.model.run_id} and {holder.run_id} claim that number; it is "
            f"that of the later, {holder.run_id}, and the other's model is {found[version].model.uri}"
        )
    for version in range(max(highest, *found), 0, -1):
        if version not in found:
            found[version] = _tombstone(version, found, several[0])
            remarks.append(
                f"{found[version].model.uri}: no folder knows it; it is entered as deleted, so that its "
                "number is not used again"
            )
    return list(found.values())


def _free(taken: dict[int, MadeModel], highest: int) -> Iterator[int]:
    """Numbers that are not taken; those that are spoken of last of all."""
    yield from (version for version in range(1, highest + 1) if version not in taken)
    version = highest
    while True:
        version += 1
        yield version


def _as_version(made: MadeModel, version: int) -> MadeModel:
    model = replace(made.model, version=version, aliases=())
    return replace(made, model=model, changes=())


def _tombstone(version: int, found: dict[int, MadeModel], like: MadeModel) -> MadeModel:
    """A version of which nothing is known but that it was there: before the next one."""
    after = found.get(version + 1, like)
    moment = after.model.created_at
    model = Model(
        name=like.model.name,
        version=version,
        task=after.model.task,
        run_id=None,
        folder="",
        sha256="",
        aliases=(),
        created_at=moment,
        deleted_at=moment,
        purged_at=moment,
    )
    return MadeModel(model=model, place=after.place - 1)


# Aliases -----------------------------------------------------------------------------------------------


def _changes(models: Iterable[Iterable[MadeModel]]) -> list[AliasChange]:
    """All changes, each once (the versions before and after both know it), in their order."""
    each = dict.fromkeys(change for some in models for made in some for change in made.changes)
    return sorted(each, key=lambda change: change.at)


def _aliases(
    models: Sequence[MadeModel], changes: Sequence[AliasChange], remarks: list[str]
) -> dict[tuple[str, str], int]:
    """Where aliases point to: by the last change of each, or, where none is known, by what versions say."""
    found = {
        (made.model.name, alias): made.model.version
        for made in sorted(models, key=_age)
        for alias in made.model.aliases
    }
    for change in changes:
        if change.version is None:
            found.pop((change.name, change.alias), None)
        else:
            found[change.name, change.alias] = change.version
    there = {(made.model.name, made.model.version) for made in models if made.model.deleted_at is None}
    for (name, alias), version in [*found.items()]:
        if (name, version) not in there:
            del found[name, alias]
            remarks.append(f"{name}@{alias}: it pointed to version {version}, which is not there any more")
    return found
