"""What people want to know of recordings before a model hears them."""

from __future__ import annotations

import math
from typing import Final

from torch import Tensor

from seqloom.modality import Measure
from seqloom_audio.rows import GREATEST

MEASURES: Final = (
    Measure(name="seconds", adds_up=True),
    Measure(name="peak_dbfs", least=-50.0, odd="nearly silent"),
    Measure(name="clipped_percent", most=0.1, odd="clipped"),
)

NOTHING: Final = 0.5  # a peak less than any but 0, in steps of 16 bits


def measured(rows: Tensor, rate_hz: int) -> tuple[float, float, float]:
    """Seconds, the peak in decibels of full scale, and how much is clipped.

    That is the percentage of samples at full scale that follow another: sound that was brought to full
    scale touches it, clipped sound stays there.

    Args:
        rows: [T, hop] int16; zeros at the end of the last row count as what filled it.
        rate_hz: Samples a second.
    """
    heard = rows[-1].nonzero()
    filled = int(heard[-1]) + 1 if len(heard) else 1
    samples = (len(rows) - 1) * rows.shape[1] + filled
    peak = max(int(rows.max()), -int(rows.min()), NOTHING)
    full = ((rows >= GREATEST) | (rows <= -GREATEST)).flatten()
    clipped = int((full[1:] & full[:-1]).sum())
    return samples / rate_hz, 20 * math.log10(peak / (GREATEST + 1)), 100 * clipped / samples
