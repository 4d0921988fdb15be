"""Convolutions along time, centred on each position."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqloom.errors import ConfigError


class DepthwiseConvolution(nn.Module):
    """Filters each feature along time by itself; positions beyond a sequence's ends count as zeros.

    Args:
        width: D.
        kernel: Positions that a filter spans, an odd number.

    Raises:
        ConfigError: An even ``kernel``.
    """

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        # Two-dimensional, as a CPU's kernels for that take features last and need half the time.
        self.filters = nn.Conv2d(width, width, (1, kernel), padding=(0, margin(kernel)), groups=width)

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        """[B, T, D] and [B, T] bool to [B, T, D], anything on padding."""
        values = values.masked_fill(~mask[..., None], 0)
        # In fp32 whatever is around it: torch 2.14 on a CPU can take minutes for such filters in bf16, and
        # each number takes part in so few products that fewer bits would gain nothing.
        with torch.autocast(values.device.type, enabled=False):
            filtered: Tensor = self.filters(
                values.to(self.filters.weight.dtype).transpose(1, 2)[:, :, None]
            )  # [B, D, 1, T]
        return filtered.squeeze(2).transpose(1, 2)


def margin(kernel: int) -> int:
    """How many positions a kernel spans on each side of its middle.

    Raises:
        ConfigError: It has no middle.
    """
    if kernel % 2 == 0:
        raise ConfigError(f"a kernel of {kernel} positions has no middle: choose an odd number")
    return kernel // 2
