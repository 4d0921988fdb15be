"""Sound at another rate."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor

if TYPE_CHECKING:
    from torchaudio.transforms import Resample

FINEST: Final = 640
"""Greatest denominator of a ratio of rates, which 11,025 Hz to 16,000 has; filters grow with it.

Ratios with a greater one are rounded: by a thousandth at most, where rates that nobody uses almost agree.
"""


def ratio_of(before: float, after: float) -> Fraction:
    """How many samples become one, as a fraction that has filters of a bearable size."""
    return (Fraction(before) / Fraction(after)).limit_denominator(FINEST)


def resampled(blocks: Iterable[Tensor], ratio: Fraction) -> Iterator[Tensor]:
    """Blocks [n] of one sound at another rate: the same as if it were one block.

    Smith 2002, "Digital audio resampling", by torchaudio's filters, each of which is given what it needs of
    the blocks beside its own.

    Args:
        blocks: One after another, floating-point.
        ratio: How many samples become one.
    """
    if ratio == 1:
        yield from blocks
        return
    filters = _filters(ratio)
    stride, gives = ratio.as_integer_ratio()  # each stride of samples gives so many
    reach = math.ceil(filters.width / stride) + 1  # strides on either side that a filter may look at
    held, done = torch.zeros(0), 0  # strides at its beginning that have been given
    for block in blocks:
        held = torch.cat([held, block])
        ready = len(held) // stride - reach
        if ready > done:
            yield filters(held)[done * gives : ready * gives]
            passed = max(0, ready - reach)
            held, done = held[passed * stride :], ready - passed
    if len(held) > done * stride:
        yield filters(held)[done * gives :]


@lru_cache(maxsize=16)
def _filters(ratio: Fraction) -> Resample:
    from torchaudio.transforms import Resample  # noqa: PLC0415 - only who has other rates pays for it

    return Resample(ratio.numerator, ratio.denominator)
