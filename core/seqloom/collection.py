"""Which files of what is deleted may go, and how do they go?

What is taken is marked as purged first, in the transaction that looks whether it still may be taken, and
removed then. Whoever is killed on the way leaves files of purged models and runs, which the next
collection takes. Nothing is removed through a link.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar, final

from seqloom.errors import BusyError, ConfigError, CorruptError, StorageError
from seqloom.registry import mirror
from seqloom.registry.holding import LOCK, is_held
from seqloom.registry.lookup import SCHEME
from seqloom.registry.records import Model, Run
from seqloom.registry.store import Registry
from seqloom.site import alone
from seqloom.storage import discard_folder, read_manifest, remains

RecordT = TypeVar("RecordT", Model, Run)
STAYING: Final = frozenset({LOCK, mirror.FILE})
"""Of a deleted run's folder, where a model in it stays: its lock, and what the run was."""


@dataclass(frozen=True, kw_only=True)
class Waste:
    """What a deleted model or run left.

    Attributes:
        name: ``models:/de-en/1`` or a run's id.
        folder: The model's or the run's; empty for a run without.
        paths: What goes: the folder, or what is in it beside models that stay.
        size_bytes: Of that.
        obstacle: Why it stays for now; None where nothing speaks against it.
        is_left: Whether that is since the system did not let go of it.
    """

    name: str
    folder: str
    paths: tuple[Path, ...] = ()
    size_bytes: int = 0
    obstacle: str | None = None
    is_left: bool = False


def find_waste(registry: Registry, runs: Path, before: datetime) -> list[Waste]:
    """What of models and runs that were deleted may go now; nothing is changed.

    Args:
        registry: Knows them.
        runs: The folder of run folders.
        before: When they must have been deleted by.
    """
    kept = _kept(registry)
    of_models = [_of_model(model, runs, kept) for model in _due(registry.deleted_models(), before)]
    found = [waste for waste in of_models if waste is not None]
    taken = {waste.folder: waste for waste in found if waste.obstacle is None}
    kept.forget(waste.name for waste in taken.values())
    for run in _due(registry.deleted_runs(), before):
        if (waste := _of_run(run, runs, kept)) is not None:
            its_own = [taken[folder] for folder in taken if Path(folder).is_relative_to(waste.folder)]
            counted = sum(model.size_bytes for model in its_own) if waste.paths else 0
            found.append(replace(waste, size_bytes=waste.size_bytes - counted))
    return found


def collect_waste(registry: Registry, runs: Path, before: datetime) -> Iterator[Waste]:
    """Removes what :func:`find_waste` finds, and tells of each when it is gone, or why it is not.

    Raises:
        BusyError: The registry is locked.
        StorageError: The registry cannot be read or written.
    """
    kept = _kept(registry)
    for model in _due(registry.deleted_models(), before):
        if (waste := _of_model(model, runs, kept)) is not None:
            yield _take_model(waste, model, registry, before)
    kept = _kept(registry)
    for run in _due(registry.deleted_runs(), before):
        if (waste := _of_run(run, runs, kept)) is not None:
            yield _take_run(waste, run, registry, kept, before)


def _due(deleted: Sequence[RecordT], before: datetime) -> list[RecordT]:
    return [one for one in deleted if one.deleted_at is not None and one.deleted_at <= before]


# What may go -------------------------------------------------------------------------------------------


@final
class _Kept:
    """The folders whose files have not been given up.

    Args:
        folders: By whose they are, see :meth:`~seqloom.registry.removal.RemovalVerbs.kept_folders`.
    """

    def __init__(self, folders: Mapping[str, str]) -> None:
        self._at: defaultdict[Path, set[str]] = defaultdict(set)
        self._below: defaultdict[Path, set[str]] = defaultdict(set)
        self._gone: set[str] = set()
        self.add(folders)

    def add(self, folders: Mapping[str, str]) -> None:
        """Adds what came to be there."""
        for name, folder in folders.items():
            for place in {Path(folder), Path(folder).resolve()}:  # where a link leads, and the link
                self._at[place].add(name)
                for parent in place.parents:
                    self._below[parent].add(name)

    def forget(self, names: Iterable[str]) -> None:
        """Counts some as gone."""
        self._gone.update(names)

    def at(self, place: Path, name: str) -> set[str]:
        """Whose folder this is, but for ``name``."""
        return self._at.get(place, set()) - self._gone - {name}

    def within(self, place: Path, name: str) -> set[str]:
        """Whose folder this is or is in it, but for ``name``."""
        return self.at(place, name) | (self._below.get(place, set()) - self._gone - {name})

    def around(self, place: Path) -> set[str]:
        """The models whose folders a folder is in."""
        found = (self._at.get(parent, set()) for parent in place.parents)
        return {name for names in found for name in names - self._gone if name.startswith(SCHEME)}


def _kept(registry: Registry) -> _Kept:
    """All that may not be touched; also folders that somebody put back after they had been removed."""
    purged = [model for model in registry.deleted_models() if model.purged_at is not None]
    back = {
        one.uri: one.folder
        for one in purged
        if one.purged_at and _is_later(Path(one.folder), one.purged_at)
    }
    return _Kept(registry.kept_folders() | back)


def _of_model(model: Model, runs: Path, kept: _Kept) -> Waste | None:
    """What a deleted version left; None where nothing of it is there any more, and the registry knows."""
    folder = Path(model.folder)
    waste = Waste(name=model.uri, folder=model.folder)
    if not remains(folder):
        return None if model.purged_at is not None else waste
    if model.purged_at is not None and _is_later(folder, model.purged_at):
        return replace(waste, obstacle=f"{folder} came to be there after its files had been removed")
    obstacle = _obstacle(model, folder, runs, kept)
    return replace(waste, paths=(folder,), size_bytes=_size(folder), obstacle=obstacle)


def _obstacle(model: Model, folder: Path, runs: Path, kept: _Kept) -> str | None:
    """Why a version's folder must stay; None where nothing speaks against removing it."""
    if model.aliases:
        return f"it is {model.name}@{model.aliases[0]}"
    real = folder.parent.resolve() / folder.name
    if folder.is_symlink():
        return f"{folder} is a link, and nothing is removed through links"
    if folder.is_relative_to(runs):
        if real != runs.resolve() / folder.relative_to(runs):
            return f"a link leads to {folder}, and nothing is removed through links"
    elif folder.exists():
        try:
            _, digest = read_manifest(folder)
        except CorruptError as error:
            return f"it is outside of {runs}, and not what was registered: {error}"
        if digest != model.sha256:
            return f"it is outside of {runs}, and not what was registered: {folder} has another manifest"
    if others := kept.within(real, model.uri) | (kept.around(real) - {model.uri}):
        return f"{folder} is shared with {min(others)}"
    return None


def _of_run(run: Run, runs: Path, kept: _Kept) -> Waste | None:
    """What a deleted run left; None where nothing of it is there any more, and the registry knows."""
    folder = Path(run.folder)
    waste = Waste(name=run.id, folder=run.folder)
    if not run.folder or not remains(folder):
        return None if run.purged_at is not None else waste
    if folder.is_symlink() or folder.resolve() != runs.resolve() / run.id:
        return replace(
            waste, obstacle=f"{folder} is not in {runs}; name its folder of runs with SEQLOOM_RUNS"
        )
    paths = _beside(folder, kept, run.id)
    if run.purged_at is not None and not paths:
        return None
    obstacle = f"a process works in {folder}" if is_held(folder) else None
    return replace(waste, paths=paths, size_bytes=sum(map(_size, paths)), obstacle=obstacle)


def _beside(folder: Path, kept: _Kept, name: str) -> tuple[Path, ...]:
    """What of a folder may go where the folders of models in it are kept."""
    real = folder.resolve()
    if not kept.within(real, name) | kept.within(folder, name):
        return (folder,)
    if kept.at(real, name) | kept.at(folder, name):
        return ()
    found: list[Path] = []
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            found += _beside(path, kept, name)
        elif path.name not in STAYING and not kept.within(path, name):
            found.append(path)
    return tuple(found)


def _is_later(folder: Path, moment: datetime) -> bool:
    """Whether a folder came to be there after a moment."""
    try:
        return datetime.fromtimestamp(folder.lstat().st_ctime, UTC) > moment
    except FileNotFoundError:
        return False


def _size(path: Path) -> int:
    """Of a file, or of all files of a folder."""
    if path.is_dir() and not path.is_symlink():
        return sum(
            file.lstat().st_size for file in path.rglob("*") if not file.is_dir() or file.is_symlink()
        )
    return path.lstat().st_size if os.path.lexists(path) else 0


# How it goes -------------------------------------------------------------------------------------------


def _take_model(waste: Waste, model: Model, registry: Registry, before: datetime) -> Waste:
    if waste.obstacle is not None:
        return waste
    try:
        registry.purge_model(model.name, model.version, before)
    except ConfigError as error:
        return replace(waste, obstacle=str(error))
    return _remove(waste)


def _take_run(waste: Waste, run: Run, registry: Registry, kept: _Kept, before: datetime) -> Waste:
    if waste.obstacle is not None:
        return waste
    folder = Path(run.folder)
    with ExitStack() as holding:
        if waste.paths and folder.is_dir():  # so that no training goes on in it, and leaves a model there
            try:
                holding.enter_context(alone(folder))
            except (BusyError, StorageError) as error:
                return replace(waste, obstacle=str(error))
        try:
            registry.purge_run(run.id, before)
        except ConfigError as error:
            return replace(waste, obstacle=str(error))
        if waste.paths:
            kept.add(registry.kept_folders(run.folder))  # what was entered meanwhile
            waste = replace(waste, paths=_beside(folder, kept, run.id))
        return _remove(waste)


def _remove(waste: Waste) -> Waste:
    for path in waste.paths:
        if (path.is_dir() and not path.is_symlink()) or not os.path.lexists(path):
            discard_folder(path)
        else:
            with suppress(OSError):
                path.unlink()
    left = [path for path in waste.paths if remains(path)]
    if not left:
        return waste
    return replace(waste, obstacle=f"{left[0]} could not be removed; look at its permissions", is_left=True)
