"""What does the registry get to know of a job? Where and on what it ran, what it left, how it ended."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from seqloom.data.manifest import file_sha256
from seqloom.datafiles import hashes_of
from seqloom.device import Device
from seqloom.errors import Interrupted
from seqloom.jobfile import Job
from seqloom.judging import Goal
from seqloom.ledger import Ledger
from seqloom.registry.records import DataFile, Run, RunKind, RunStatus, Score
from seqloom.registry.runs import new_run_id
from seqloom.site import Site, versions
from seqloom.storage import MANIFEST, storage_errors, write_json
from seqloom.surroundings import environment, git_state
from seqloom.trainer import Trainer

TOLD: Final = 10
"""Events of a kind that are told one by one; after that, those whose number is twice the last one's."""
NAMED: Final = 10
"""Examples that an event names; ``metrics.jsonl`` names them all."""


def open_folder(site: Site, job: Job, data: Sequence[DataFile]) -> Path:
    """A new run's folder, with what the run is to do.

    Raises:
        StorageError: It cannot be made.
    """
    folder = site.runs / new_run_id()
    with storage_errors(folder, "make"):
        folder.mkdir(parents=True)
        write_json(folder / "config.json", {"job": _whole(job), "data": hashes_of(data)})
    return folder


def start(
    site: Site,
    kind: RunKind,
    job: Job,
    device: Device,
    *,
    data: Sequence[DataFile],
    folder: Path | None = None,
    model: str | None = None,
    code: Path | None = None,
) -> Run:
    """Enters a run that begins now.

    Args:
        site: Where it runs.
        kind: What it does.
        job: What was asked for.
        device: Where it computes.
        data: What it reads.
        folder: Its own, from :func:`open_folder`; None for a new one.
        model: URI of the model that it uses.
        code: A folder in the repository of the user's code; None for that of the job.
    """
    config, folder = job.config, folder or open_folder(site, job, data)
    return site.registry.start_run(
        id=folder.name,
        kind=kind,
        name=config.name,
        task=config.task.name,
        config=_whole(job),
        seed=config.train.seed,
        device=str(device.device),
        device_reason=device.reason,
        versions=versions(site.catalog),
        environment=environment(device),
        git=git_state(job.path.absolute().parent if code is None else code),
        data=data,
        folder=str(folder),
        model=model,
    )


@contextmanager
def recorded(site: Site, run: Run, end: Callable[[RunStatus, str | None], Run]) -> Iterator[None]:
    """Tells who observes that a run begins, and enters in the registry how it ends, however it ends."""
    error: BaseException | None = None
    status: RunStatus = "finished"
    try:
        site.catalog.notify("seqloom_run_started", run=run)
        yield
    except (Interrupted, KeyboardInterrupt, GeneratorExit) as caught:
        error, status = caught, "interrupted"
        raise
    except BaseException as caught:
        error, status = caught, "failed"
        raise
    finally:
        text = None if error is None else f"{type(error).__name__}: {error}"
        ended = end(status, text)
        site.catalog.notify("seqloom_run_ended", run=ended, error=error)


@contextmanager
def end_told(ledger: Ledger) -> Iterator[None]:
    """Tells as an event how a training ends: a run that is resumed keeps but its last end."""
    try:
        yield
    except (Interrupted, KeyboardInterrupt) as stopped:
        signum = getattr(stopped, "signum", signal.SIGINT)
        ledger.add_event("stopped", {"signal": signal.Signals(signum).name, "reason": str(stopped)})
        raise
    except Exception as error:
        ledger.add_event("failed", {"reason": f"{type(error).__name__}: {error}"})
        raise
    ledger.add_event("finished")


def leave_files(site: Site, run: Run, files: Iterable[Path]) -> None:
    """Enters files of predictions that a run has written."""
    for file in files:
        whole = file.resolve()
        digest, size = file_sha256(whole), whole.stat().st_size
        site.registry.add_artefact(
            run.id, kind="predictions", path=str(whole), sha256=digest, size_bytes=size
        )


def leave_checkpoints(ledger: Ledger, folders: Iterable[Path]) -> None:
    """Enters the checkpoints that a model was made of."""
    for folder in folders:
        size = sum(file.stat().st_size for file in folder.iterdir())
        ledger.add_artefact("checkpoint", folder, file_sha256(folder / MANIFEST), size)


class RunListener:
    """Enters scores and events as they come, and tells the plugins that observe.

    However often a thing happens, the registry hears of it a few times only, and how often it was by then.

    Args:
        site: Whose plugins are told.
        ledger: Of the training.
        trainer: What trains: it knows which score is the best.
    """

    def __init__(self, site: Site, ledger: Ledger, trainer: Trainer) -> None:
        self.site = site
        self.ledger = ledger
        self.trainer = trainer
        self._counts: Counter[str] = Counter()

    def stepped(self, step: int) -> None:
        pass

    def logged(self, record: dict[str, Any]) -> None:
        pass

    def noticed(self, record: dict[str, Any]) -> None:
        kind = record["event"]
        self._counts[kind] += 1
        count = self._counts[kind]
        if count <= TOLD or (count % TOLD == 0 and (count // TOLD).bit_count() == 1):
            self.ledger.add_event(kind, _brief(record) | {"count": count})

    def evaluated(self, step: int, scores: Sequence[Score]) -> None:
        self.ledger.add_scores(scores)
        goal = self.trainer.judging.goal
        if goal.best(self.trainer.state.scores) == step:
            self.ledger.add_event("best", _best(goal, step, scores))
        self.site.catalog.notify("seqloom_evaluated", run=self.ledger.run, step=step, scores=scores)


def _best(goal: Goal, step: int, scores: Sequence[Score]) -> dict[str, Any]:
    return {"step": step, "metric": goal.metric, "value": goal.value(scores)}


def _brief(record: Mapping[str, Any]) -> dict[str, Any]:
    """An event without what would make it long."""
    named = {key: value for key, value in record.items() if key != "event"}
    return {key: value[:NAMED] if isinstance(value, list) else value for key, value in named.items()}


def _whole(job: Job) -> dict[str, Any]:
    """The job as JSON with its root made absolute: a run folder stands by itself."""
    config = job.config.model_dump(mode="json")
    config["data"]["root"] = str(job.root.absolute())
    return config
