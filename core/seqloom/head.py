"""What turns a memory into a loss and into predictions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from seqloom.batch import Batch, Hypothesis, Loss, Memory, Padded, Progress
from seqloom.config import DecodeConfig
from seqloom.nn.decoder import AnyDecoder
from seqloom.nn.loss import cross_entropy
from seqloom.search.beam import beam_search
from seqloom.search.greedy import greedy_search
from seqloom.search.scorer import DecoderScorer, Member
from seqloom.vocabulary import Vocabulary

PredictionT = TypeVar("PredictionT")


class Head(nn.Module, ABC, Generic[PredictionT]):
    """The top of a model. A head over numbers needs no search."""

    @abstractmethod
    def forward(self, memory: Memory, batch: Batch, progress: Progress) -> Loss:
        """The loss of a batch that has targets."""

    @abstractmethod
    def predict(self, memory: Memory, options: DecodeConfig) -> list[list[PredictionT]]:
        """For each source its predictions, best first."""


class SequenceHead(Head[Hypothesis]):
    """Predicts tokens with a decoder, trained by label-smoothed cross-entropy.

    Args:
        decoder: Gives logits over the target's vocabulary.
        vocabulary: The special tokens of the target.
        label_smoothing: Share of the target's probability spread over the vocabulary
            (Szegedy et al. 2016, section 7; Vaswani et al. 2017, section 5.4).
    """

    def __init__(self, decoder: AnyDecoder, vocabulary: Vocabulary, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.decoder = decoder
        self.vocabulary = vocabulary
        self.label_smoothing = label_smoothing

    def forward(self, memory: Memory, batch: Batch, progress: Progress) -> Loss:  # noqa: ARG002
        target = _required(batch.target)
        mask = target.mask()
        logits = self.decoder(memory, self._shifted(target), at=mask).logits  # [N, V]
        wanted = target.values[mask]  # [N]
        loss = cross_entropy(logits, wanted, self.label_smoothing)
        elements = torch.tensor(len(wanted), device=logits.device)
        return Loss(loss.total, elements, {"nll": loss.nll, "correct": loss.correct})

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Compiles the decoder alone: the loss is one kernel after another over memory anyway."""
        self.decoder.compile(*args, **kwargs)

    def scorers(self, memory: Memory) -> list[Member]:
        """The voices of this head in a search; those of several heads make an ensemble."""
        return [Member(DecoderScorer(self.decoder), memory)]

    def predict(self, memory: Memory, options: DecodeConfig) -> list[list[Hypothesis]]:
        search = greedy_search if options.beam == 1 else beam_search
        found = search(self.scorers(memory), self.vocabulary, options)
        return self._with_attention(memory, found) if options.attention else found

    @torch.inference_mode()
    def _with_attention(self, memory: Memory, found: list[list[Hypothesis]]) -> list[list[Hypothesis]]:
        """Adds the weights that the decoder gives while it is made to write what was found."""
        attended: list[list[Hypothesis]] = [[] for _ in found]
        for rank in range(max(map(len, found), default=0)):
            chosen = [hypotheses[min(rank, len(hypotheses) - 1)] for hypotheses in found]
            tokens = [[*hypothesis.tokens, self.vocabulary.eos] for hypothesis in chosen]
            lengths = torch.tensor([len(row) for row in tokens])
            rows = [torch.tensor(row) for row in tokens]
            values = nn.utils.rnn.pad_sequence(rows, True, self.vocabulary.pad)
            device = memory.values.device
            weights = self.attend(memory, Padded(values.to(device), lengths.to(device)))
            for row, hypotheses in enumerate(found):
                if rank < len(hypotheses):
                    size, source = len(tokens[row]), int(memory.lengths[row])
                    own = None if weights is None else weights[row, :size, :source].float().cpu()
                    attended[row].append(replace(hypotheses[rank], attention=own))
        return attended

    def attend(self, memory: Memory, tokens: Padded) -> Tensor | None:
        """The attention [B, U, S] over the memory while the decoder writes ``tokens`` (EOS last)."""
        return self.decoder(memory, self._shifted(tokens), weights=True).attention  # type: ignore[no-any-return]

    def _shifted(self, target: Padded) -> Padded:
        """BOS, then all but the last token: what the decoder reads while it predicts ``target``."""
        values = target.values.roll(1, dims=1)
        values[:, 0] = self.vocabulary.bos
        return Padded(values, target.lengths)


def _required(target: Padded | None) -> Padded:
    if target is None:
        raise ValueError("a loss needs targets; this batch has none")
    return target
