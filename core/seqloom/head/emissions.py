"""What CTC says of each position, beside what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from seqloom.batch import Emissions, Hypothesis, Memory
from seqloom.nn.ctc import Ctc


@torch.inference_mode()
def with_emissions(
    ctc: Ctc, memory: Memory, found: Sequence[Sequence[Hypothesis]]
) -> list[list[Hypothesis]]:
    """The outputs of each source with what CTC says of its real positions.

    Args:
        ctc: What speaks.
        memory: Of the sources.
        found: For each source its outputs.
    """
    rows = zip(ctc(memory).cpu(), memory.lengths.tolist(), strict=True)
    said = [Emissions(row[:length].clone()) for row, length in rows]  # a view would keep all padding
    return [
        [replace(output, emissions=emissions) for output in outputs]
        for outputs, emissions in zip(found, said, strict=True)
    ]


def with_times(outputs: Sequence[Hypothesis], edges_s: tuple[float, ...]) -> list[Hypothesis]:
    """The outputs of a source, whose emissions, where they carry any, now know when positions are."""
    said = outputs[0].emissions if outputs else None
    if said is None:
        return list(outputs)
    timed = said._replace(edges_s=edges_s)
    return [replace(output, emissions=timed) for output in outputs]


def edges(length: int, stride: int, rate: float) -> tuple[float, ...]:
    """Where positions begin and the last one ends, in seconds.

    Args:
        length: T, features of the input.
        stride: How many of them a position stands for; the last may stand for fewer.
        rate: Features a second.
    """
    return tuple(at / rate for at in (*range(0, length, stride), length))
