"""Where do jobs run, and what is there already: run folders, models, versions."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from filelock import FileLock, Timeout

import seqloom
from seqloom.catalog import Catalog
from seqloom.errors import BusyError, ConfigError, CorruptError, SeqloomError, StorageError
from seqloom.predictor import Predictor
from seqloom.progress import Listener, Tell, unwatched
from seqloom.registry.holding import LOCK
from seqloom.registry.lookup import RUN_SCHEME, SCHEME
from seqloom.registry.records import Model
from seqloom.registry.store import Registry
from seqloom.storage import read_json
from seqloom.world import World

LOOK_SECONDS: Final = 0.5
"""How long a folder is waited for: somebody may only look whether it is held, which takes no time."""


@dataclass(frozen=True)
class Site:
    """Where jobs run, and who watches.

    Attributes:
        catalog: What the installed plugins provide.
        registry: Where runs and models are entered.
        runs: The folder of run folders.
        say: Tells the user a line.
        watch: Shows how far a pass over files has come; is told what it is for.
        listeners: Watch the training.
        stop: Gives the number of a signal to stop for, or None.
        workers: How many processes make batches ahead, whatever the job says; None for what it says.
        at_once: Makes the block where nothing is to be saved yet, which a signal may end anywhere.
        world: Who trains together with this process.
    """

    catalog: Catalog
    registry: Registry
    runs: Path
    say: Callable[[str], None] = lambda _: None
    watch: Callable[[str], AbstractContextManager[Tell]] = lambda _: unwatched()
    listeners: Sequence[Listener] = ()
    stop: Callable[[], int | None] = lambda: None
    workers: int | None = None
    at_once: Callable[[], AbstractContextManager[None]] = nullcontext
    world: World = field(default_factory=World)


# Run folders -------------------------------------------------------------------------------------------


def find_run(name: str, site: Site) -> Path:
    """The folder of a run given by its folder, its id or the beginning of its id.

    Raises:
        StorageError: There is no such folder.
    """
    if (Path(name) / "config.json").is_file():
        return Path(name).absolute()
    if (site.runs / name / "config.json").is_file():
        return site.runs / name
    folder = site.registry.run(name).folder
    if not folder or not Path(folder).is_dir():
        raise StorageError(f"run {name} has no folder to go on from ({folder or 'none recorded'})")
    return Path(folder)


def read_run_config(run_folder: Path) -> dict[str, Any]:
    """The ``job`` that a run was started with, and the sha256 of its ``data`` files.

    Raises:
        StorageError: The folder is no run's.
    """
    saved = read_json(run_folder / "config.json")
    match saved:
        case {"job": dict(), "data": dict()}:
            return dict(saved)
    raise CorruptError(f"{run_folder / 'config.json'}: this is not what a training run was started with")


@contextmanager
def alone(run_folder: Path) -> Iterator[None]:
    """Holds a run folder, so that no second process trains in it.

    Raises:
        BusyError: Another one does.
        StorageError: The folder cannot be written.
    """
    lock = FileLock(run_folder / LOCK, timeout=LOOK_SECONDS)
    try:
        lock.acquire()
    except Timeout as error:  # an OSError, too
        busy = f"another process is at work in {run_folder}; wait for it, or stop it"
        raise BusyError(busy) from error
    except OSError as error:
        raise StorageError(f"{run_folder}: cannot lock it: {error.strerror}") from error
    try:
        yield
    finally:
        lock.release()


# Models and versions -----------------------------------------------------------------------------------


def open_model(name: str, site: Site, *, device: str = "auto", dtype: str = "auto") -> Predictor:
    """A model given by its folder, or by ``models:/name/3``, ``name@alias``, ``runs:/ID`` and the like.

    Raises:
        ConfigError: There is no such model, it was deleted, or the run made none.
        StorageError: Its folder is not there any more.
    """
    if not name.startswith((SCHEME, RUN_SCHEME)) and Path(name).is_dir():
        folder = Path(name).absolute()
        return Predictor.load(folder, site.catalog, device=device, dtype=dtype)
    try:
        record = site.registry.model(name)
    except (ConfigError, StorageError, BusyError):
        left = _unregistered(name, site)
        if left is None:
            raise
        predictor = Predictor.load(left, site.catalog, device=device, dtype=dtype)
        predictor.uri = f"{RUN_SCHEME}{left.parent.name}"
        return predictor
    _check_there(record)
    folder = Path(record.folder)
    if not folder.is_dir():
        raise StorageError(f"{folder}: the folder of {record.uri} is not there any more")
    return Predictor.load(folder, site.catalog, device=device, dtype=dtype, record=record)


def _unregistered(name: str, site: Site) -> Path | None:
    """The model that a training left in its folder while the registry was away, if there is one."""
    if not name.startswith(RUN_SCHEME):
        return None
    try:
        folder = find_run(name.removeprefix(RUN_SCHEME), site) / "model"
    except SeqloomError:
        return None
    return folder if folder.is_dir() else None


def _check_there(record: Model) -> None:
    """Refuses a model that was deleted."""
    if record.purged_at is not None:
        raise ConfigError(
            f"{record.uri} was deleted; its files were removed at {record.purged_at:%F %T} UTC"
        )
    if record.deleted_at is not None:
        raise ConfigError(
            f"{record.uri} was deleted at {record.deleted_at:%F %T} UTC; "
            f"`seqloom models rm {record.name}/{record.version} --undo` takes that back"
        )


def versions(catalog: Catalog) -> dict[str, str]:
    """Of Python, torch, seqloom, and each plugin's distribution."""
    found = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "seqloom": seqloom.__version__,
    }
    plugins = catalog.plugins()
    return found | {plugin.distribution: plugin.version for plugin in plugins if plugin.state == "ok"}
