"""How does a model leave a registry as a file, and come into another one?

An import is a run of its own. Its folder is made aside and put in its place whole, and the registry learns
of the run and the model in one transaction; what is left by one that is killed on the way, the next import
clears away, see :mod:`seqloom.arrivals`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp
from typing import IO, Any

from seqloom.archive import Archive, write_archive
from seqloom.arrivals import arriving
from seqloom.errors import CorruptError, StorageError
from seqloom.foreign import CONFIG, Found, Head, check_names, check_size, read_model
from seqloom.jsonable import jsonable
from seqloom.registry.lookup import check_name
from seqloom.registry.records import DataFile, Model, Note
from seqloom.registry.store import Registry
from seqloom.storage import (
    MANIFEST,
    place_folder,
    read_manifest,
    storage_errors,
    verify_folder,
    write_json,
)

# Out ---------------------------------------------------------------------------------------------------


def check_model(model: Model) -> None:
    """Hashes each file of a model's folder against its manifest, and that against the registry.

    Raises:
        CorruptError: Something differs; it is named.
        StorageError: The folder is not there.
    """
    folder = Path(model.folder)
    if not folder.is_dir():
        raise StorageError(f"{folder}: the folder of {model.uri} is not there any more")
    if verify_folder(folder) != model.sha256:
        raise CorruptError(f"{folder / MANIFEST}: {model.uri} was registered with another manifest")


def export_archive(registry: Registry, model: Model, stream: IO[bytes]) -> None:
    """Writes a model as an archive, with what the registry knows of it; see :mod:`seqloom.archive`.

    Raises:
        CorruptError: A file of the model is not what was saved.
        StorageError: Its folder is not there.
    """
    folder = Path(model.folder)
    if not folder.is_dir():
        raise StorageError(f"{folder}: the folder of {model.uri} is not there any more")
    if read_manifest(folder)[1] != model.sha256:
        raise CorruptError(f"{folder / MANIFEST}: {model.uri} was registered with another manifest")
    run = None if model.run_id is None else registry.run(model.run_id)
    facts = {
        "model": {"uri": model.uri, **jsonable(model)},
        "run": jsonable(run),
        "artefacts": [] if run is None else jsonable(registry.artefacts(run.id)),
        "events": [] if run is None else jsonable(registry.events(run.id)),
        "aliases": [
            jsonable(change)
            for change in registry.alias_history(model.name)
            if model.version in (change.version, change.former)
        ],
        "evaluations": [
            jsonable(run) for run in registry.runs(f"kind = 'evaluate' and model = '{model.uri}'")
        ],
    }
    write_archive(stream, folder, f"{model.name}-{model.version}", facts)


def export_file(registry: Registry, model: Model, file: Path) -> None:
    """Writes a model's archive to a file, which is there whole or not at all; else as export_archive."""
    with storage_errors(file, "write"):
        descriptor, name = mkstemp(dir=file.parent, prefix=f".{file.name}.")
    aside = Path(name)
    try:
        with storage_errors(file, "write"), os.fdopen(descriptor, "wb") as stream:
            export_archive(registry, model, stream)
            stream.flush()
            os.fsync(stream.fileno())
        with storage_errors(file, "write"):
            mask = os.umask(0)
            os.umask(mask)
            aside.chmod(0o666 & ~mask)  # mkstemp lets nobody else read it
            aside.rename(file)
    finally:
        aside.unlink(missing_ok=True)


# In ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Imported:
    """What came in.

    Attributes:
        model: As it is registered now.
        origin: Its URI where it came from, None for a folder.
        aliases: What it was called there; it is not called so here.
    """

    model: Model
    origin: str | None
    aliases: tuple[str, ...]


def import_file(registry: Registry, runs: Path, file: Path, name: str | None = None) -> Imported:
    """Registers a model from an archive or a model folder, which is copied, as the next version.

    Args:
        registry: Where it is entered.
        runs: The folder of run folders; its own is made there.
        file: The archive, or the folder.
        name: What it is called here, None for what it was called there.

    Raises:
        CorruptError: It is not what it should be; nothing is entered.
        StorageError: It cannot be read, or the folder not be written.
        ConfigError: The name cannot be one, or a tag or a note is none.
    """
    if file.is_dir():
        return _import_folder(registry, runs, file.absolute(), name)
    with storage_errors(file, "read"):
        stream = file.open("rb")
    with stream:
        return import_stream(registry, runs, stream, str(file.absolute()), name)


def import_stream(
    registry: Registry, runs: Path, stream: IO[bytes], label: str, name: str | None = None
) -> Imported:
    """As :func:`import_file`, of an archive that comes through a pipe; ``label`` is what errors call it."""
    archive = Archive(stream, label)
    _check_room(runs, sum(archive.head.files.values()))

    def fill(folder: Path) -> dict[str, Any]:
        return {"from": label, "sha256": archive.extract(folder), "registry": archive.facts}

    return _enter(registry, runs, _Source(label, fill, archive.head), name or archive.head.model.name)


def _import_folder(registry: Registry, runs: Path, folder: Path, name: str | None) -> Imported:
    sums, _ = read_manifest(folder)
    names = [MANIFEST, *sums]
    check_names(names, folder / MANIFEST)
    sizes = []
    for one in names:
        with storage_errors(folder / one, "read"):
            sizes.append((folder / one).stat().st_size)
    _check_room(runs, sum(sizes))

    def fill(target: Path) -> dict[str, Any]:
        for one in names:
            (target / one).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / one, target / one)
        return {"from": str(folder), "sha256": None, "registry": None}

    return _enter(registry, runs, _Source(str(folder), fill, None), name)


@dataclass(frozen=True)
class _Source:
    """Where a model comes from.

    Attributes:
        label: What errors call it.
        fill: Copies its files into an empty folder; tells where they came from, JSON-able.
        head: What is said of it, None where nothing is.
    """

    label: str
    fill: Callable[[Path], dict[str, Any]]
    head: Head | None


def _enter(registry: Registry, runs: Path, source: _Source, name: str | None) -> Imported:
    if name is not None:
        check_name("a model", name)
    with arriving(registry, runs) as folder:
        found, digest = place_folder(folder, lambda aside: _fill(aside, source))
        model = _register(registry, folder, name or found.name, found, digest, source.head)
    said = None if source.head is None else source.head.model
    return Imported(model, said.uri if said else None, tuple(said.aliases) if said else ())


def _register(
    registry: Registry, folder: Path, name: str, found: Found, digest: str, head: Head | None
) -> Model:
    """Enters a run folder that is in its place, and the model in it."""
    notes = [Note(text=note.text, at=note.at) for note in head.model.notes] if head else []
    return registry.import_model(
        {
            "folder": str(folder / "model"),
            "sha256": digest,
            "scores": found.scores,
            "tags": head.model.tags if head else {},
            "notes": notes,
        },
        id=folder.name,
        kind="import",
        name=name,
        task=found.task,
        config=found.job,
        seed=found.seed,
        device="cpu",
        device_reason="an import computes nothing",
        versions=found.versions,
        data=[DataFile(**dict(file)) for file in head.run.data] if head and head.run else [],
        folder=str(folder),
    )


def _fill(aside: Path, source: _Source) -> tuple[Found, str]:
    """Makes an import's run folder; returns what is in its model, and the sha256 of the manifest."""
    folder = aside / "model"
    folder.mkdir()
    origin = source.fill(folder)
    try:
        check_size(folder / MANIFEST)
        check_names([MANIFEST, *read_manifest(folder)[0]], folder / MANIFEST)
        digest = verify_folder(folder)
        if source.head is not None and source.head.model.sha256 != digest:
            raise CorruptError(f"{folder / MANIFEST}: this is not the manifest of {source.head.model.uri}")
        found = read_model(folder)
    except CorruptError as error:  # of a copy that nobody will see
        raise CorruptError(str(error).replace(str(folder), source.label)) from error
    write_json(aside / CONFIG, {"import": origin, "job": dict(found.job), "data": {}})
    return found, digest


def _check_room(runs: Path, needed: int) -> None:
    place = next(path for path in (runs, *runs.parents) if path.exists())
    free = shutil.disk_usage(place).free
    if needed > free:
        raise StorageError(f"{runs}: the model takes {needed:,} bytes, and {free:,} are free; make room")
