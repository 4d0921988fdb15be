"""The head that writes tokens one after another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from seqloom.batch import Batch, Hypothesis, Loss, Memory, Padded, Progress
from seqloom.config import DecodeConfig
from seqloom.errors import ConfigError
from seqloom.head.base import Head, refuse_min_length, required
from seqloom.head.emissions import with_emissions
from seqloom.nn.ctc import Ctc, without_eos
from seqloom.nn.decoder import AnyDecoder
from seqloom.nn.loss import cross_entropy
from seqloom.search.beam import beam_search
from seqloom.search.ctc import CtcScorer
from seqloom.search.greedy import greedy_search
from seqloom.search.labelling import ctc_search
from seqloom.search.scorer import DecoderScorer, Member
from seqloom.vocabulary import Vocabulary


class SequenceHead(Head[Hypothesis]):
    """Predicts tokens with a decoder, trained by label-smoothed cross-entropy.

    CTC may share the memory, in training (Kim et al. 2017, equation 5) and in a search, where both score
    each token (Watanabe et al. 2017, section III-C). Sources too short for CTC teach the decoder alone.

    Args:
        decoder: Gives logits over the target's vocabulary.
        vocabulary: The special tokens of the target.
        label_smoothing: Share of the target's probability spread over the vocabulary
            (Szegedy et al. 2016, section 7; Vaswani et al. 2017, section 5.4).
        coverage: Weight of the penalty on what is attended to more or less than once
            (Xu et al. 2015, equation 14).
        ctc: The other voice, None for none.
        ctc_weight: Its share of the loss, and of scores unless a search is told otherwise.
    """

    def __init__(
        self,
        decoder: AnyDecoder,
        vocabulary: Vocabulary,
        label_smoothing: float = 0.0,
        *,
        coverage: float = 0.0,
        ctc: Ctc | None = None,
        ctc_weight: float = 0.0,
    ) -> None:
        super().__init__()
        self.decoder = decoder
        self.vocabulary = vocabulary
        self.label_smoothing = label_smoothing
        self.coverage = coverage
        self.ctc = ctc
        self.ctc_weight = ctc_weight

    def forward(self, memory: Memory, batch: Batch, progress: Progress) -> Loss:  # noqa: ARG002
        target = required(batch.target)
        mask = target.mask()
        decoded = self.decoder(memory, self._shifted(target), at=mask, weights=self.coverage > 0)
        wanted = target.values[mask]  # [N]
        loss = cross_entropy(decoded.logits, wanted, self.label_smoothing)
        total, parts = loss.total, {"nll": loss.nll, "correct": loss.correct}
        if self.ctc is not None:
            ctc = self.ctc.loss(memory, without_eos(target))
            total = (1 - self.ctc_weight) * total + self.ctc_weight * ctc.total
            parts |= {"ctc": ctc.total.detach(), "unaligned": ctc.unaligned}
        if self.coverage:
            penalty = coverage_penalty(decoded.attention, mask, memory.mask())
            total = total + self.coverage * penalty
            parts["coverage"] = penalty.detach()
        return Loss(total, torch.tensor(len(wanted), device=total.device), parts)

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Compiles the decoder alone: the loss is one kernel after another over memory anyway."""
        self.decoder.compile(*args, **kwargs)

    def check(self, options: DecodeConfig) -> None:
        if options.ctc and self.ctc is None:
            raise ConfigError(
                f"decode.ctc {options.ctc:g} asks for scores of CTC, and this model has learned none: "
                "take it out, or train with model.head.ctc"
            )
        if options.emissions and self.ctc is None:
            raise ConfigError(
                "what CTC says of each position (decode.emissions; times of words are made of it) is asked "
                "of a model that has learned no CTC: leave it out, or train with model.head.ctc"
            )
        if self.ctc is not None and self._weight_of_ctc(options):
            refuse_min_length(options)

    def scorers(self, memory: Memory, options: DecodeConfig) -> list[Member]:
        """The voices of this head in a search; those of several heads make an ensemble."""
        weight = self._weight_of_ctc(options)
        members = [Member(DecoderScorer(self.decoder), memory, 1 - weight)]
        if self.ctc is not None and weight:
            members.append(Member(CtcScorer(self.ctc, self.vocabulary.eos), memory, weight))
        return members

    def predict(self, memory: Memory, options: DecodeConfig) -> list[list[Hypothesis]]:
        self.check(options)
        if self.ctc is not None and self._weight_of_ctc(options) == 1:
            found = ctc_search(self.ctc, memory, self.vocabulary, options)
        else:
            search = greedy_search if options.beam == 1 else beam_search
            found = search(self.scorers(memory, options), self.vocabulary, options)
        if options.emissions and self.ctc is not None:
            found = with_emissions(self.ctc, memory, found)
        return self.with_attention(memory, found) if options.attention else found

    def _weight_of_ctc(self, options: DecodeConfig) -> float:
        return self.ctc_weight if options.ctc is None else options.ctc

    @torch.inference_mode()
    def with_attention(self, memory: Memory, found: list[list[Hypothesis]]) -> list[list[Hypothesis]]:
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


def coverage_penalty(attention: Tensor | None, written: Tensor, real: Tensor) -> Tensor:
    """How far the attention that each position of a memory gets is from one in all.

    Args:
        attention: [B, U, S] weights.
        written: [B, U] bool, the target's real positions.
        real: [B, S] bool, the memory's.

    Returns:
        [] the sum over real positions of the squared distance (Xu et al. 2015, equation 14).

    Raises:
        ConfigError: There are no weights.
    """
    if attention is None:
        raise ConfigError(
            "model.head.coverage is about attention, and this decoder has none: "
            "name one as model.attention, or take coverage out"
        )
    received = (attention.float() * written[:, :, None]).sum(1)  # [B, S]
    return ((1 - received).square() * real).sum()
