"""What an encoder is: features in, memory out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqloom.batch import Memory, Padded

ALIKE: Final = 7 / 8
"""Rows of a portion are at least as long as this share of its longest."""
ENOUGH: Final = 512
"""Positions that a portion has at least: for fewer, fetching the weights of layers would cost too much."""


class Encoder(nn.Module, ABC):
    """Turns a front end's features into a memory.

    Its output at a real position must not depend on padding, nor on the other rows of a batch.

    Attributes:
        width: D of the memory's values.
        final_shape: (L, H) of the memory's final state.
        stride: Features that one position of the memory stands for: S = ceil(T / stride).
    """

    width: int
    final_shape: tuple[int, int]
    stride: int = 1

    @abstractmethod
    def forward(self, features: Padded) -> Memory:
        """Encodes features [B, T, D]. Positions in time are the encoder's own affair."""


class NoEncoder(Encoder):
    """Features as a memory, as they are: for front ends that need no layers after them.

    Args:
        width: D of the features and of the memory.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.final_shape = (1, width)

    def forward(self, features: Padded) -> Memory:
        return Memory(*features, final=masked_mean(features.values, features.mask()))


def in_portions(encode: Callable[[Padded], Memory], features: Padded) -> Memory:
    """Encodes a batch in portions of rows of like length, where it is faster to compute less padding.

    That is on a CPU, without gradients. A GPU is fastest with as much as possible at a time.

    Args:
        encode: Gives a memory with a position for each feature, of any number of rows.
        features: [B, T, D].
    """
    if features.values.device.type != "cpu" or torch.is_grad_enabled():
        return encode(features)
    lengths, order = features.lengths.sort(descending=True, stable=True)
    portions = torch.split(order, portion_sizes(lengths.tolist()))
    if len(portions) == 1:
        return encode(features)
    parts = [encode(_rows(features, rows)) for rows in portions]
    size, longest = features.values.shape[:2]
    values = parts[0].values.new_zeros(size, longest, parts[0].values.shape[2])
    for rows, part in zip(portions, parts, strict=True):
        values[rows, : part.values.shape[1]] = part.values
    final = torch.cat([part.final for part in parts])[order.argsort()]
    return Memory(values, features.lengths, final)


def portion_sizes(lengths: Sequence[int]) -> list[int]:
    """How many rows each portion has, of rows of these lengths, the longest first."""
    starts = [0]
    for row, length in enumerate(lengths):
        longest = lengths[starts[-1]]
        is_enough = min((row - starts[-1]) * longest, (len(lengths) - row) * length) >= ENOUGH
        if is_enough and length < ALIKE * longest:
            starts.append(row)
    return [end - start for start, end in pairwise([*starts, len(lengths)])]


def _rows(features: Padded, rows: Tensor) -> Padded:
    """Some rows of features, as long as the longest of them."""
    lengths = features.lengths[rows]
    return Padded(features.values[rows, : int(lengths.max())], lengths)


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """[B, S, D] and [B, S] bool to [B, 1, D]: the mean of the real positions."""
    weights = mask.to(values.dtype)[:, :, None]
    return (values * weights).sum(1, keepdim=True) / weights.sum(1, keepdim=True).clamp(min=1)


def join_positions(features: Padded, size: int) -> Padded:
    """Features [B, T, D] to [B, ceil(T / size), size · D]: as many positions side by side as one.

    Where a sequence ends among them, zeros stand for those that it lacks.
    """
    values = features.values.masked_fill(~features.mask()[:, :, None], 0)
    values = F.pad(values, (0, 0, 0, -values.shape[1] % size))
    joined = values.reshape(len(values), -1, size * values.shape[2])
    return Padded(joined, -(-features.lengths // size))


def join_memories(memories: list[Memory]) -> Memory:
    """Several inputs of one example as one memory: joined in time, real positions first.

    A single memory is returned as it is. The joined ``final`` is the mean of all real positions, L = 1.
    """
    if len(memories) == 1:
        return memories[0]
    values = torch.cat([memory.values for memory in memories], dim=1)
    mask = torch.cat([memory.mask() for memory in memories], dim=1)
    order = mask.int().argsort(dim=1, descending=True, stable=True)  # moves padding to the right
    values = values.gather(1, order[:, :, None].expand_as(values))
    joined = Memory(values, mask.sum(1), final=values[:, :1])
    copy_ids = [memory.copy_ids for memory in memories if memory.copy_ids is not None]
    if len(copy_ids) == len(memories):
        joined = joined._replace(copy_ids=torch.cat(copy_ids, dim=1).gather(1, order))
    return joined._replace(final=masked_mean(values, joined.mask()))
