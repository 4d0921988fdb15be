"""A process that collates batches ahead of the steps that need them."""

from __future__ import annotations

import os
import pickle
import socket
import subprocess
import sys
import threading
from collections import deque
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any, Final, NamedTuple, final

import torch

from seqloom.batch import Batch, Padded
from seqloom.errors import ConfigError

UP: Final = "up"
START: Final = "import sys; sys.path[:] = {path!r}; from seqloom.data.worker import serve; serve({file})"
ENDED: Final = (EOFError, OSError)
"""What talking to a process that has ended raises."""


class Task(NamedTuple):
    """A batch to make: what :meth:`seqloom.data.dataset.Collator.__call__` is given."""

    ids: list[int]
    seed: int
    epoch: int


@final
class Worker:
    """A process that makes batches in the order in which they are asked for.

    It is talked to over a socket and ends when that closes: with this process, however that ends. It is
    not of the terminal's foreground group: Ctrl-C is for this process alone. Nothing of this process is
    in it but what it is sent: it is not forked, and knows no threads and no GPU.

    Args:
        number: Of the worker, for people.
        collator: What makes batches, pickled.

    Attributes:
        failures: How often in a row it has ended without having made a batch.
    """

    def __init__(self, number: int, collator: bytes) -> None:
        self.number = number
        self.failures = 0
        self._collator = collator
        self._waiting: deque[Task] = deque()
        self._start()

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            start = START.format(path=sys.path, file=theirs.fileno())
            self._process = subprocess.Popen(  # noqa: S603 - our own code
                [sys.executable, "-c", start],
                stdin=subprocess.DEVNULL,
                stdout=2,  # stdout is for data
                pass_fds=[theirs.fileno()],
                process_group=0,
            )
        self._connection = Connection(ours.detach())
        self._is_up = False

    @property
    def waiting(self) -> int:
        """How many batches have been asked for and not been taken."""
        return len(self._waiting)

    def is_up(self) -> bool:
        """Whether it has started. That takes seconds, which nobody needs to wait for.

        Raises:
            EOFError, OSError: It has ended.
        """
        if not self._is_up and self._connection.poll():
            self._connection.recv()
            self._connection.send_bytes(self._collator)
            for task in self._waiting:  # of the process before
                self._connection.send(task)
            self._is_up = True
        return self._is_up

    def give(self, task: Task) -> None:
        """Asks for a batch of a worker that is up.

        Raises:
            OSError: It has ended.
        """
        self._waiting.append(task)
        self._connection.send(task)

    def take(self, task: Task) -> Batch | None:
        """Waits for a batch; what was asked for before it is thrown away.

        Returns:
            The batch; None where this process has to make it: it cannot be made, or the worker is not up.

        Raises:
            ConfigError: The worker cannot take up what makes batches.
            EOFError, OSError: It has ended.
        """
        is_up = self.is_up()
        while self._waiting:
            first = self._waiting.popleft()
            found = self._connection.recv() if is_up else None
            if isinstance(found, str):
                raise ConfigError(f"a data worker cannot take up the data: {found}; set data.workers to 0")
            self.failures = 0 if is_up else self.failures
            if first is task:
                return None if found is None else _unpacked(found)
        return None

    def start_again(self) -> str:
        """Puts a new process in the place of one that has ended; says how that did."""
        self._connection.close()
        self._process.kill()
        code = self._process.wait()
        self.failures += 1
        self._start()
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def end(self) -> None:
        """Ends it at once; it has nothing to save."""
        self._connection.close()
        self._process.kill()
        self._process.wait()
        self._waiting.clear()


def _unpacked(packed: Any) -> Batch:
    """Tensors where torch itself puts them: where numbers lie may change the last digit of their sum."""
    inputs, target, references, ids, rows = packed
    return Batch(
        {slot: Padded(*map(torch.tensor, arrays)) for slot, arrays in inputs.items()},
        None if target is None else Padded(*map(torch.tensor, target)),
        references,
        ids,
        None if rows is None else torch.tensor(rows),
    )


# In the process ----------------------------------------------------------------------------------------


def serve(file: int) -> None:
    """Makes batches until the socket closes.

    Args:
        file: The socket's descriptor.
    """
    torch.set_num_threads(1)
    connection = Connection(file)
    replies: SimpleQueue[Any] = SimpleQueue()
    threading.Thread(target=_send, args=(connection, replies), daemon=True).start()
    replies.put(UP)
    try:
        collate = _unpickled(connection.recv_bytes())
        while True:
            task = connection.recv()
            replies.put(collate if isinstance(collate, str) else _made(collate, task))
    except ENDED:
        os._exit(0)


def _send(connection: Connection, replies: SimpleQueue[Any]) -> None:
    """Sends what is made while the next batch is being made."""
    try:
        while True:
            connection.send(replies.get())
    except ENDED:
        os._exit(0)


def _unpickled(collator: bytes) -> Any:
    """What makes batches; a text where that cannot be had."""
    try:
        return pickle.loads(collator)  # noqa: S301 - from the process that started this one
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def _made(collate: Any, task: Task) -> Any:
    """A batch with arrays for tensors; None where it cannot be made: who asked will see why not."""
    try:
        batch: Batch = collate(task.ids, seed=task.seed, epoch=task.epoch, augment=True)
    except Exception:
        return None
    inputs = {slot: _arrays(padded) for slot, padded in batch.inputs.items()}
    target = None if batch.target is None else _arrays(batch.target)
    rows = None if batch.rows is None else batch.rows.numpy()
    return inputs, target, batch.references, batch.ids, rows


def _arrays(padded: Padded) -> list[Any]:
    return [padded.values.numpy(), padded.lengths.numpy()]
