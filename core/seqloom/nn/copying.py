"""Saying what the source says: a share of each token's probability follows the attention."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from seqloom.errors import ConfigError

LEAST: Final = 1e-30
"""Probability below which a token is taken for impossible: fp32 has a logarithm of it."""


class Pointer(nn.Module):
    """Mixes what a decoder would write with what it looks at (See et al. 2017, equations 8 and 9).

    As input and output have one vocabulary of pieces of words, there is no word that could be copied and
    not be written.

    Args:
        width: D of the states that decide how much is copied.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.share = nn.Linear(width, 1)

    def forward(self, logits: Tensor, states: Tensor, weights: Tensor, copy_ids: Tensor) -> Tensor:
        """The mixture's logarithms [.., V], computed in fp32.

        Args:
            logits: [.., V] of what would be written.
            states: [.., D].
            weights: [.., S] attention over the source's positions, zero on padding.
            copy_ids: [.., S] int64, the token of each position; any id of the vocabulary on padding.
        """
        copied = torch.sigmoid(self.share(states).float())
        written = logits.float().softmax(-1) * (1 - copied)
        mixed = written.scatter_add(-1, copy_ids.expand_as(weights), weights.float() * copied)
        return mixed.clamp(min=LEAST).log()


def to_copy(copy_ids: Tensor | None) -> Tensor:
    """The tokens of a memory's positions.

    Raises:
        ConfigError: It has none.
    """
    if copy_ids is None:
        raise ConfigError(
            "model.decoder.copying copies tokens of the input, and its positions are not tokens of the "
            "target's vocabulary: give both one tokenizer, as tokenizers.joint, and an encoder that keeps "
            "positions apart; or take copying out"
        )
    return copy_ids
