"""The core's head, with faults: real NaNs, a real limit of memory."""

from __future__ import annotations

import os
import resource
import signal
import time
from pathlib import Path
from typing import Any

import torch

from seqloom.batch import Batch, Hypothesis, Loss, Memory, Progress
from seqloom.config import DecodeConfig
from seqloom.head import Head, SequenceHead
from seqloom.hooks import HeadParts
from seqloom_faulty import FaultyOptions


def strike(*place: object) -> None:
    """Sends this process the signal that FAULTY_SIGNAL names where it names this place.

    It holds the signal, the place's words, and on how many visits to let it pass: ``SIGTERM predict 0``.
    """
    name, *wanted, passes = os.environ.get("FAULTY_SIGNAL", "none 0").split()
    if wanted == [str(word) for word in place]:
        if int(passes) == 0:
            os.kill(os.getpid(), signal.Signals[name])
        os.environ["FAULTY_SIGNAL"] = " ".join([name, *wanted, str(int(passes) - 1)])


def trace(*words: object) -> None:
    """Adds a line to the file that FAULTY_TRACE names, where it names one."""
    if file := os.environ.get("FAULTY_TRACE"):
        with Path(file).open("a") as stream:
            print(*words, file=stream)


def full(step: int) -> None:
    """From the step that FAULTY_DISK names on, files can have so many bytes: ``20000 3``."""
    size, first = map(int, os.environ.get("FAULTY_DISK", "0 -1").split())
    if step == first:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def registry(step: int) -> None:
    """Moves the registry away at one step and back at another, as FAULTY_REGISTRY says: ``FILE 1 5``."""
    file, *steps = os.environ.get("FAULTY_REGISTRY", "none -1 -1").split()
    for name, (here, there) in zip(steps, (("", ".away"), (".away", "")), strict=True):
        if int(name) == step:
            for part in ("", "-wal", "-shm"):
                if Path(file + part + here).exists():
                    Path(file + part + here).rename(file + part + there)


def kill_worker() -> None:
    """Kills the first data worker that has made a batch, for which it gives them time."""
    folder = os.environ.get("FAULTY_WORKERS")
    if folder is None or Path(folder, "killed").exists():
        return
    workers = [path.name for path in Path(folder).iterdir() if path.name != str(os.getpid())]
    if workers:
        os.kill(int(workers[0]), signal.SIGKILL)
        Path(folder, "killed").touch()
    else:
        time.sleep(0.1)


class FaultyHead(Head[Hypothesis]):
    def __init__(self, inner: SequenceHead, options: FaultyOptions) -> None:
        super().__init__()
        self.inner = inner
        self.options = options
        self.register_buffer("seen", torch.zeros(()))
        self.is_limited = False

    def forward(self, memory: Memory, batch: Batch, progress: Progress) -> Loss:
        trace("train" if self.training else "evaluate", progress.step, progress.epoch)
        loss = self.inner(memory, batch, progress)
        strike("train" if self.training else "evaluate", progress.step)
        if self.training:
            registry(progress.step)
            kill_worker()
        full(progress.step)
        if not self.training:
            return loss
        self.seen += loss.total.detach()  # as a running mean of a batch norm would
        self._limit()
        if self.options.appetite:
            taken = torch.empty(self.options.appetite * len(batch.ids), dtype=torch.uint8)
            loss = loss._replace(total=loss.total + 0 * len(taken))
        return loss._replace(total=loss.total + self._poison(batch, progress))

    def check(self, options: DecodeConfig) -> None:
        self.inner.check(options)

    def predict(self, memory: Memory, options: DecodeConfig) -> list[list[Hypothesis]]:
        trace("predict")
        strike("predict")
        return self.inner.predict(memory, options)

    def _poison(self, batch: Batch, progress: Progress) -> Any:
        options, ids = self.options, set(batch.ids)
        weight = next(self.parameters()).sum()
        if ids & set(options.nan_loss) or progress.step in options.nan_steps:
            self.seen.fill_(float("nan"))
            return weight * float("nan")
        if ids & set(options.infinite_gradient):
            return (weight - weight.detach()).sqrt()  # 0, and its slope is infinite
        return 0

    def _limit(self) -> None:
        if self.options.headroom is None or self.is_limited:
            return
        self.is_limited = True
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        size = pages * resource.getpagesize() + self.options.headroom
        resource.setrlimit(resource.RLIMIT_AS, (size, resource.RLIM_INFINITY))


def build(options: FaultyOptions, parts: HeadParts) -> FaultyHead:
    strike("build")
    assert parts.decoder is not None
    assert parts.vocabulary is not None
    return FaultyHead(SequenceHead(parts.decoder, parts.vocabulary), options)
