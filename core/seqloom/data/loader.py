"""Batches for the steps of a training, made when they are needed, or ahead of it by workers.

Why not torch's ``DataLoader``: it ends a training when one of its workers is killed, and a batch that is
not of its plan (half of one, where memory was short) is not to be had of it.
"""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, final

from seqloom.batch import Batch
from seqloom.data.dataset import Dataset
from seqloom.data.worker import ENDED, Task, Worker
from seqloom.errors import ConfigError

AHEAD: Final = 4  # batches that a worker is given before the first of them is needed
ATTEMPTS: Final = 3  # processes in a row that may end without a batch before a worker is given up

Planned = tuple[int, list[int]]
"""Epoch and ids of a batch."""


class Given(NamedTuple):
    """A batch that comes, and who makes it; None for this process."""

    task: Task
    worker: Worker | None


@final
class Loader:
    """Gives batches. Who makes them changes nothing about them: they follow from ids, seed and epoch.

    Args:
        dataset: Examples to make them of.
        seed: Of the augmentation.
        workers: How many processes make batches ahead; 0 to make them in this process, when needed.
    """

    def __init__(self, dataset: Dataset, seed: int, workers: int = 0) -> None:
        self.dataset = dataset
        self.seed = seed
        self.workers = workers
        self._crew: list[Worker] = []
        self._coming: Iterator[Planned] = iter(())
        self._given: deque[Given] = deque()
        self._step: list[Given] = []
        self._events: list[dict[str, Any]] = []

    @contextmanager
    def ahead_of(self, coming: Iterator[Planned]) -> Iterator[None]:
        """While the block runs, workers make what comes.

        Args:
            coming: All batches from now on, in order, without end.

        Raises:
            ConfigError: What reads the data does not pickle.
        """
        collator = _pickled(self.dataset) if self.workers else b""
        self._crew = [Worker(number, collator) for number in range(1, self.workers + 1)]
        self._coming = coming
        try:
            yield
        finally:
            for worker in self._crew:
                worker.end()
            self._crew = []
            self._given.clear()
            self._step.clear()

    def begin(self, count: int) -> None:
        """Is told that a step begins, and how many of the batches that come are its."""
        if self._crew:
            self._step = [self._next() for _ in range(count)]
            self._fill()

    def __call__(self, epoch: int, ids: list[int]) -> Batch:
        """A batch of the examples at ``ids``; any, but those of the step are there sooner.

        Raises:
            DataError: An example cannot be used.
        """
        task = Task(ids, self.seed, epoch)
        given = next((given for given in self._step if given.task == task), None)
        if given is not None:
            self._step.remove(given)
            batch = self._taken(given)
            if batch is not None:
                return batch
        return self.dataset.collate(ids, seed=self.seed, epoch=epoch, augment=True)

    def events(self) -> list[dict[str, Any]]:
        """What happened to workers since the last call."""
        events, self._events = self._events, []
        return events

    def _next(self) -> Given:
        return self._given.popleft() if self._given else Given(self._planned(), None)

    def _planned(self) -> Task:
        epoch, ids = next(self._coming)
        return Task(ids, self.seed, epoch)

    def _fill(self) -> None:
        """Gives workers what comes, until each has enough."""
        ready = [worker for worker in self._crew if self._is_up(worker)]
        while ready:
            worker = min(ready, key=lambda one: one.waiting)
            if worker.waiting == AHEAD:
                return
            task = self._planned()
            self._given.append(Given(task, worker))
            try:
                worker.give(task)
            except OSError:
                self._replace(worker)
                ready.remove(worker)

    def _is_up(self, worker: Worker) -> bool:
        try:
            return worker.is_up()
        except ENDED:
            self._replace(worker)
            return False

    def _taken(self, given: Given) -> Batch | None:
        if given.worker is None:
            return None
        try:
            return given.worker.take(given.task)
        except ENDED:
            self._replace(given.worker)
            return None

    def _replace(self, worker: Worker) -> None:
        """Starts a worker again that has ended; gives one up that ends again and again."""
        how = worker.start_again()
        what = f"data worker {worker.number} ended ({how}) and is started again"
        if worker.failures == ATTEMPTS:
            worker.end()
            self._crew.remove(worker)
            what = f"data worker {worker.number} ended ({how}) {ATTEMPTS} times in a row, and is given up"
        self._events.append({"event": "delayed", "reason": what})


def _pickled(dataset: Dataset) -> bytes:
    try:
        return pickle.dumps(dataset.collator)
    except Exception as error:  # whatever a plugin's object raises
        raise ConfigError(
            f"what reads the data cannot be sent to data workers: {error}; set data.workers to 0"
        ) from error
