"""How do ranks add up what each made of its share of a step?

In one place, once a step, when all gradients of the rank are there. torch's ``DistributedDataParallel``
reduces from hooks within the backward pass instead: a rank that halves its micro-batches for want of
memory, that has no share of a small batch or that fails would leave the others waiting in such a hook.
Here it comes to the one meeting that they come to, and says what befell it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn

from seqloom.world import World


@final
class Reduction:
    """Adds up gradients and means of buffers over ranks.

    Args:
        world: The ranks.
        parameters: Whose gradients are added up, as losses are sums.
        buffers: Running values of the model's: each becomes the mean over ranks, which is near to what one
            process would have made of the whole batch; whole numbers become those of rank 0.
    """

    def __init__(self, world: World, parameters: Sequence[nn.Parameter], buffers: Sequence[Tensor]) -> None:
        self.world = world
        self.parameters = [parameter for parameter in parameters if parameter.requires_grad]
        self.buffers = buffers

    @torch.no_grad()
    def __call__(self, row: Tensor) -> Tensor:
        """Adds up, and gathers a few numbers of each rank on the way.

        Args:
            row: [C] what this rank has to say.

        Returns:
            [size, C] what each rank has to say.
        """
        if self.world.size == 1:
            return row[None]
        table = row.new_zeros(self.world.size, len(row))
        table[self.world.rank] = row
        used = [parameter.grad is not None for parameter in self.parameters]
        users = torch.tensor(used, dtype=row.dtype).to(row.device)
        means = [self._part_of_mean(buffer) for buffer in self.buffers]
        self.world.add_up([*map(_gradient, self.parameters), *means, users, table])
        for buffer, mean in zip(self.buffers, means, strict=True):
            buffer.copy_(mean)
        if not all(used):
            self._forget_unused(users)
        return table

    def _part_of_mean(self, buffer: Tensor) -> Tensor:
        if buffer.is_floating_point() or buffer.is_complex():
            return buffer / self.world.size
        return buffer.to(torch.int64) * self.world.is_first

    def _forget_unused(self, users: Tensor) -> None:
        """A parameter that no rank has a gradient of has none: an optimiser passes it over."""
        for parameter, count in zip(self.parameters, users.tolist(), strict=True):
            if count == 0:
                parameter.grad = None


def _gradient(parameter: nn.Parameter) -> Tensor:
    if parameter.grad is None:
        parameter.grad = torch.zeros_like(parameter)
    return parameter.grad
