"""Contracts: what a part or a plugin must do to belong here, as tests to inherit.

Make a subclass whose name begins with ``Test``, say how to build your part, and run pytest::

    from seqloom.testing import EncoderContract

    class TestConvolutions(EncoderContract):
        width = 16

        def build(self):
            return ConvolutionalEncoder(width=16, layers=2)

Build it small, in fp32 and on the CPU. Equalities are tested in evaluation mode: dropout may be anything.
"""

from __future__ import annotations

from seqloom.testing.entry import EntryContract
from seqloom.testing.heads import HeadContract
from seqloom.testing.parts import AttentionContract, DecoderContract, EncoderContract, PartContract
from seqloom.testing.plugins import ModalityContract, TaskContract
from seqloom.testing.samples import assert_close, random_memory, random_padded, random_tokens
from seqloom.testing.texts import MetricContract, TokenizerContract

__all__ = [
    "AttentionContract",
    "DecoderContract",
    "EncoderContract",
    "EntryContract",
    "HeadContract",
    "MetricContract",
    "ModalityContract",
    "PartContract",
    "TaskContract",
    "TokenizerContract",
    "assert_close",
    "random_memory",
    "random_padded",
    "random_tokens",
]
