"""What a head and a search must know of a vocabulary."""

from __future__ import annotations

from typing import NamedTuple


class Vocabulary(NamedTuple):
    """A vocabulary's size and the ids of its special tokens.

    A search never writes PAD or BOS.
    """

    size: int
    pad: int
    bos: int
    eos: int
    unk: int
