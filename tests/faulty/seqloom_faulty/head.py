"""The core's head, with faults: real NaNs, a real limit of memory."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

import torch

from seqloom.batch import Batch, Hypothesis, Loss, Memory, Progress
from seqloom.config import DecodeConfig
from seqloom.head import Head, SequenceHead
from seqloom.hooks import HeadParts
from seqloom_faulty import FaultyOptions


class FaultyHead(Head[Hypothesis]):
    def __init__(self, inner: SequenceHead, options: FaultyOptions) -> None:
        super().__init__()
        self.inner = inner
        self.options = options
        self.register_buffer("seen", torch.zeros(()))
        self.is_limited = False

    def forward(self, memory: Memory, batch: Batch, progress: Progress) -> Loss:
        loss = self.inner(memory, batch, progress)
        if not self.training:
            return loss
        self.seen += loss.total.detach()  # as a running mean of a batch norm would
        self._limit()
        if self.options.appetite:
            taken = torch.empty(self.options.appetite * len(batch.ids), dtype=torch.uint8)
            loss = loss._replace(total=loss.total + 0 * len(taken))
        return loss._replace(total=loss.total + self._poison(batch, progress))

    def predict(self, memory: Memory, options: DecodeConfig) -> list[list[Hypothesis]]:
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
    assert parts.decoder is not None
    assert parts.vocabulary is not None
    return FaultyHead(SequenceHead(parts.decoder, parts.vocabulary), options)
