"""What the contracts feed to a part, and how they compare what comes out."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from seqloom.batch import Memory, Padded, length_mask, tree_map

LENGTHS = (5, 2, 7, 1)  # of the sources in a contract's batch
TARGET_LENGTHS = (3, 6, 1, 4)
TOLERANCE = 1e-5  # of numbers around one, in fp32


def random_padded(lengths: Sequence[int], width: int) -> Padded:
    """Always the same numbers [B, T, D], loud ones on padding: nobody may hear them."""
    generator = torch.Generator().manual_seed(len(lengths))
    values = torch.randn(len(lengths), max(lengths), width, generator=generator)
    padded = Padded(values, torch.tensor(lengths))
    return padded._replace(values=values.where(padded.mask()[:, :, None], 10 * values))


def random_memory(lengths: Sequence[int], width: int, final: tuple[int, int] = (1, 1)) -> Memory:
    """A memory [B, S, D] with such numbers."""
    state = random_padded((final[0],) * len(lengths), final[1]).values
    return Memory(*random_padded(lengths, width), final=state)


def random_tokens(lengths: Sequence[int], size: int, seed: int) -> Padded:
    """Token ids [B, U] below ``size``, on padding too."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.randint(size, (len(lengths), max(lengths)), generator=generator)
    return Padded(values, torch.tensor(lengths))


def pad_loudly(features: Sequence[Tensor]) -> Padded:
    """A batch of sequences [T, *F] whose padding is loud numbers, or where they are ids, real ones."""
    lengths = torch.tensor([len(row) for row in features])
    noise = torch.cat(list(features))
    if noise.is_floating_point():
        noise = 10 + 10 * noise.abs()
    rows = [torch.cat([row, noise[: int(lengths.max()) - len(row)]]) for row in features]
    return Padded(torch.stack(rows), lengths)


def example(batch: Padded, row: int) -> Padded:
    """One sequence of a batch without its padding."""
    lengths = batch.lengths[row : row + 1]
    return Padded(batch.values[row : row + 1, : int(lengths[0])], lengths)


def cut(memory: Memory, row: int, length: int) -> Memory:
    """One source of a memory without its padding."""
    values, lengths, final, copy_ids = tree_map(lambda part: part[row : row + 1], memory)
    return Memory(values[:, :length], lengths, final, None if copy_ids is None else copy_ids[:, :length])


def assert_close(found: Tensor, wanted: Tensor) -> None:
    """Equal up to what fp32 loses."""
    torch.testing.assert_close(found, wanted, rtol=TOLERANCE, atol=TOLERANCE)


def assert_row(alone: Padded | Memory, batch: Padded | Memory, row: int) -> None:
    """A sequence alone is as in that row of a batch, up to padding."""
    size = int(alone.lengths[0])
    assert batch.lengths[row] == size
    assert_close(alone.values[0, :size], batch.values[row, :size])


def assert_weights(weights: Tensor) -> None:
    """[B, U, S] is zero on the padding of the contract's sources, and sums to one elsewhere."""
    real = length_mask(torch.tensor(LENGTHS), max(LENGTHS))[:, None]
    assert (weights >= 0).all()
    assert not weights.masked_fill(real, 0).any()
    assert_close(weights.sum(-1), torch.ones(weights.shape[:-1]))
