"""How do the processes of a training send each other tensors and bytes? By torch's collectives.

Every call is one that all processes make, in the same order, with tensors of the same shapes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any, Final, final

import torch
import torch.distributed as dist
from torch import Tensor

from seqloom.errors import LostError

BUCKET_BYTES: Final = 2**25
"""Tensors are sent in buckets of about this size: a copy of all of them at once would cost memory."""
PATIENCE: Final = timedelta(days=30)
"""How long a message may take: the others wait while one prepares data or saves. The death of a process
is noticed at once, whatever this is."""


@final
class Collectives:
    """The connections of this process to the others.

    Tensors of a CPU travel by gloo, those of a GPU by NCCL, bytes by gloo.

    Args:
        rank: This process' number.
        size: How many processes there are; the launcher's environment says where they meet.

    Raises:
        LostError: They do not find each other.
    """

    def __init__(self, rank: int, size: int) -> None:
        has_nccl = torch.cuda.is_available() and dist.is_nccl_available()
        with _reached():
            dist.init_process_group(
                "cpu:gloo,cuda:nccl" if has_nccl else "gloo", rank=rank, world_size=size
            )
            self._messages: Any = dist.new_group(backend="gloo", timeout=PATIENCE)
        self.size = size

    def add_up(self, tensors: Iterable[Tensor]) -> None:
        """Replaces each tensor by the sum of those of all processes: the same bits on each."""
        _send(tensors, dist.all_reduce)

    def spread(self, tensors: Iterable[Tensor]) -> None:
        """Replaces each tensor by that of process 0."""
        _send(tensors, partial(dist.broadcast, src=0))

    def exchange(self, message: bytes) -> list[bytes]:
        """The messages of all processes, in their order."""
        sizes = [torch.zeros(1, dtype=torch.int64) for _ in range(self.size)]
        with _reached():
            dist.all_gather(sizes, torch.tensor([len(message)]), group=self._messages)
        longest = max(int(size) for size in sizes)
        padded = torch.frombuffer(bytearray(message.ljust(longest or 1)), dtype=torch.uint8)
        found = [torch.empty_like(padded) for _ in sizes]
        with _reached():
            dist.all_gather(found, padded, group=self._messages)
        return [text[: int(size)].numpy().tobytes() for text, size in zip(found, sizes, strict=True)]

    def leave(self) -> None:
        """Cuts the connections; others that still wait for this process notice it."""
        dist.destroy_process_group()


def _send(tensors: Iterable[Tensor], collective: Callable[[Tensor], Any]) -> None:
    for bucket in _buckets(tensors):
        flat = torch.cat([tensor.reshape(-1) for tensor in bucket])
        with _reached():
            collective(flat)
        parts = torch.split(flat, [tensor.numel() for tensor in bucket])
        for tensor, part in zip(bucket, parts, strict=True):
            tensor.copy_(part.view_as(tensor))


def _buckets(tensors: Iterable[Tensor]) -> Iterator[Sequence[Tensor]]:
    """Tensors of one kind each, in an order that depends on kinds and sizes alone."""
    open_: dict[tuple[torch.device, torch.dtype], list[Tensor]] = {}
    for tensor in tensors:
        bucket = open_.setdefault((tensor.device, tensor.dtype), [])
        bucket.append(tensor)
        if sum(one.nbytes for one in bucket) >= BUCKET_BYTES:
            yield open_.pop((tensor.device, tensor.dtype))
    yield from open_.values()


@contextmanager
def _reached() -> Iterator[None]:
    """Says in our words that another process is not there."""
    try:
        yield
    except RuntimeError as error:  # of gloo, of NCCL and of the store where processes meet
        words = re.sub(r"^\[\S+:\d+\] |\. .*", "", str(error).partition("\n")[0])
        raise LostError(f"another process of this training ended or cannot be reached ({words})") from error
