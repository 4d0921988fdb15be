"""The head without a decoder: CTC reads the output off the memory."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from seqloom.batch import Batch, Hypothesis, Loss, Memory, Progress
from seqloom.config import DecodeConfig
from seqloom.errors import ConfigError
from seqloom.head.base import Head, refuse_min_length, required
from seqloom.head.emissions import with_emissions
from seqloom.nn.ctc import Ctc, without_eos
from seqloom.search.labelling import ctc_search
from seqloom.vocabulary import Vocabulary


class CtcHead(Head[Hypothesis]):
    """Predicts tokens in the order of the memory's positions, all at once (Graves et al. 2006).

    Its memory needs a position for each token, and one more between two equal ones. Examples that are
    too long for theirs teach nothing, and are counted as ``unaligned``.

    Args:
        ctc: Says what each position is.
        vocabulary: The special tokens of the target.
    """

    def __init__(self, ctc: Ctc, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.ctc = ctc
        self.vocabulary = vocabulary

    def forward(self, memory: Memory, batch: Batch, progress: Progress) -> Loss:  # noqa: ARG002
        target = required(batch.target)
        loss = self.ctc.loss(memory, without_eos(target))
        parts: dict[str, Tensor] = {"nll": loss.total.detach(), "unaligned": loss.unaligned}
        return Loss(loss.total, target.lengths.sum(), parts)

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Compiles nothing: what follows the product with its weights is one kernel already."""

    def check(self, options: DecodeConfig) -> None:
        if options.ctc not in (None, 1):
            raise ConfigError(
                f"decode.ctc {options.ctc:g} leaves a share to a decoder, and this model has none: "
                "take it out, or choose a head with a decoder"
            )
        refuse_min_length(options)

    def predict(self, memory: Memory, options: DecodeConfig) -> list[list[Hypothesis]]:
        self.check(options)
        found = ctc_search(self.ctc, memory, self.vocabulary, options)
        return with_emissions(self.ctc, memory, found) if options.emissions else found
