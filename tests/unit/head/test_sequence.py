from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from seqloom.batch import Batch, Decoded, Memory, Padded, Progress
from seqloom.config import DecodeConfig
from seqloom.errors import ConfigError
from seqloom.head import CtcHead, SequenceHead
from seqloom.head.sequence import coverage_penalty
from seqloom.nn.ctc import Ctc, without_eos
from seqloom.nn.decoder import Decoder
from seqloom.search.beam import beam_search
from seqloom.search.ctc import CtcScorer
from seqloom.search.greedy import greedy_search
from seqloom.search.scorer import DecoderScorer
from seqloom.vocabulary import Vocabulary

VOCABULARY = Vocabulary(size=11, pad=0, bos=1, eos=2, unk=3)
PROGRESS = Progress(step=0, epoch=0)
WIDTH = 6


class TinyDecoder(Decoder[Memory, Tensor]):
    """A GRU that looks at its memory by plain dot products; it keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY.size, WIDTH)
        self.cell = nn.GRUCell(WIDTH, WIDTH)
        self.output = nn.Linear(2 * WIDTH, VOCABULARY.size)
        self.read: list[Padded] = []
        self.predicted: list[Tensor | None] = []

    def forward(
        self, memory: Memory, tokens: Padded, *, at: Tensor | None = None, weights: bool = False
    ) -> Decoded:
        self.read.append(tokens)
        self.predicted.append(at)
        state, features, attention = self.start(memory, 1), [], []
        for token in tokens.values.unbind(1):
            state = self._next(state, token[:, None])
            joined, looked = self._look(memory, state)
            features.append(joined)
            attention.append(looked)
        states = torch.cat(features, 1)
        logits = self.output(states if at is None else states[at])
        return Decoded(logits, torch.cat(attention, 1) if weights else None)

    def prepare(self, memory: Memory) -> Memory:
        return memory

    def start(self, context: Memory, hypotheses: int) -> Tensor:
        return context.final.expand(-1, hypotheses, -1)

    def step(self, context: Memory, state: Tensor, token: Tensor) -> tuple[Tensor, Tensor]:
        state = self._next(state, token)
        return self.output(self._look(context, state)[0]), state

    def _next(self, state: Tensor, token: Tensor) -> Tensor:
        hidden = self.cell(self.embedding(token).flatten(0, 1), state.flatten(0, 1))
        return hidden.view_as(state)

    def _look(self, memory: Memory, state: Tensor) -> tuple[Tensor, Tensor]:
        scores = (state @ memory.values.mT).masked_fill(~memory.mask()[:, None], -math.inf)
        weights = scores.softmax(-1)
        return torch.cat([state, weights @ memory.values], -1), weights


@pytest.fixture
def head() -> SequenceHead:
    torch.manual_seed(4)
    return SequenceHead(TinyDecoder(), VOCABULARY, label_smoothing=0.1)


@pytest.fixture
def memory() -> Memory:
    values = torch.randn(4, 5, WIDTH, generator=torch.Generator().manual_seed(1))
    return Memory(values, torch.tensor([5, 2, 4, 1]), values[:, :1])


TARGET = Padded(
    torch.tensor([[5, 6, 7, 8, 2], [9, 2, 0, 0, 0], [2, 0, 0, 0, 0], [4, 5, 10, 2, 0]]),
    torch.tensor([5, 2, 1, 4]),
)


def batch_of(target: Padded | None) -> Batch:
    return Batch(inputs={}, target=target, references=[], ids=[])


@torch.no_grad()
def by_hand(decoder: TinyDecoder, memory: Memory, smoothing: float) -> tuple[float, float, int, int]:
    """(total, nll, correct, elements), one row and one position after another, through ``step``."""
    total, nll, correct, elements = 0.0, 0.0, 0, 0
    for row, length in enumerate(TARGET.lengths.tolist()):
        alone = memory.take(torch.tensor([row]))
        state, before = decoder.start(alone, 1), VOCABULARY.bos
        for token in TARGET.values[row, :length].tolist():
            logits, state = decoder.step(alone, state, torch.tensor([[before]]))
            scores = logits[0, 0].double().softmax(-1).log()
            wanted = torch.full_like(scores, smoothing / VOCABULARY.size)
            wanted[token] += 1 - smoothing
            total -= float((wanted * scores).sum())
            nll -= scores[token].item()
            correct += int(scores.argmax() == token)
            elements, before = elements + 1, token
    return total, nll, correct, elements


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_the_loss_is_a_sum_of_smoothed_cross_entropies(head, memory, smoothing):
    head.label_smoothing = smoothing
    loss = head(memory, batch_of(TARGET), PROGRESS)
    total, nll, correct, elements = by_hand(head.decoder, memory, smoothing)
    assert loss.total.item() == pytest.approx(total, rel=1e-5)
    assert loss.parts["nll"].item() == pytest.approx(nll, rel=1e-5)
    assert (loss.parts["correct"].item(), loss.elements.item()) == (correct, elements)
    assert loss.elements.dtype == torch.int64
    assert loss.total.requires_grad
    assert not loss.parts["nll"].requires_grad


def test_a_target_that_the_model_prefers_counts_as_correct(head, memory):
    logits = head.decoder(memory, Padded(torch.full((4, 1), VOCABULARY.bos), torch.ones(4).long())).logits
    preferred = Padded(logits.argmax(-1), torch.tensor([1, 1, 1, 0]))
    loss = head(memory, batch_of(preferred), PROGRESS)
    assert (loss.parts["correct"].item(), loss.elements.item()) == (3, 3)


def test_two_half_batches_are_one_batch(head, memory):
    def loss_of(rows: slice) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        half = memory.take(torch.arange(4)[rows])
        target = Padded(*(part[rows] for part in TARGET))
        loss = head(half, batch_of(target), PROGRESS)
        return loss.total, loss.elements, loss.parts["nll"], loss.parts["correct"]

    halves = zip(loss_of(slice(0, 2)), loss_of(slice(2, 4)), strict=True)
    for (first, second), whole in zip(halves, loss_of(slice(0, 4)), strict=True):
        torch.testing.assert_close(first + second, whole)


def test_gradients_of_half_batches_add_up_too(head, memory):
    def gradient(*slices: slice) -> Tensor:
        head.zero_grad()
        for rows in slices:
            half = memory.take(torch.arange(4)[rows])
            target = Padded(*(part[rows] for part in TARGET))
            head(half, batch_of(target), PROGRESS).total.backward()
        return head.decoder.cell.weight_hh.grad.clone()

    torch.testing.assert_close(gradient(slice(0, 2), slice(2, 4)), gradient(slice(0, 4)))


def test_the_decoder_reads_bos_first_and_predicts_real_positions_only(head, memory):
    before = TARGET.values.clone()
    head(memory, batch_of(TARGET), PROGRESS)
    (read,), (at,) = head.decoder.read, head.decoder.predicted
    assert torch.equal(TARGET.values, before)
    assert torch.equal(read.lengths, TARGET.lengths)
    rows = [row[:length] for row, length in zip(read.values.tolist(), read.lengths.tolist(), strict=True)]
    assert rows == [[1, 5, 6, 7, 8], [1, 9], [1], [1, 4, 5, 10]]
    assert torch.equal(at, TARGET.mask())


def test_what_stands_in_the_padding_changes_nothing(head, memory):
    other = TARGET.values.where(TARGET.mask(), 7)
    loss = head(memory, batch_of(TARGET), PROGRESS)
    assert torch.equal(head(memory, batch_of(Padded(other, TARGET.lengths)), PROGRESS).total, loss.total)


def test_a_batch_without_targets_has_no_loss(head, memory):
    with pytest.raises(ValueError, match="needs targets"):
        head(memory, batch_of(None), PROGRESS)


@pytest.mark.parametrize(("beam", "search"), [(1, greedy_search), (4, beam_search)])
def test_predictions_are_those_of_the_search_of_that_width(head, memory, beam, search):
    options = DecodeConfig.model_validate({"beam": beam, "n_best": beam, "max_length_offset": 6})
    found = head.predict(memory, options)
    assert found == search(head.scorers(memory, options), VOCABULARY, options)
    assert [len(outputs) for outputs in found] == [beam] * 4


def test_scores_of_predictions_are_those_that_the_loss_sees(head, memory):
    options = DecodeConfig.model_validate({"beam": 4, "length_penalty": 0, "max_length_offset": 6})
    for row, (output,) in enumerate(head.predict(memory, options)):
        target = Padded(
            torch.tensor([[*output.tokens, VOCABULARY.eos]]), torch.tensor([len(output.tokens) + 1])
        )
        loss = head(memory.take(torch.tensor([row])), batch_of(target), PROGRESS)
        assert -loss.parts["nll"].item() == pytest.approx(output.score, rel=1e-5)


def test_attention_is_that_of_writing_the_tokens(head, memory):
    attention = head.attend(memory, TARGET)
    assert attention.shape == (4, 5, 5)
    torch.testing.assert_close(attention.sum(-1), torch.ones(4, 5))
    assert (attention[1, :, 2:] == 0).all()  # nothing on padding
    state = head.decoder.start(memory, 1)
    for position, token in enumerate([VOCABULARY.bos, 5, 6]):
        _, state = head.decoder.step(memory, state, torch.full((4, 1), token))
        expected = head.decoder._look(memory, state)[1]
        torch.testing.assert_close(attention[0, position], expected[0, 0])


@pytest.mark.parametrize(("beam", "n_best"), [(1, 1), (4, 3)])
def test_predictions_carry_their_own_attention_where_asked_for(head, memory, beam, n_best):
    asked = {"beam": beam, "n_best": n_best, "max_length_offset": 6}
    plain = head.predict(memory, DecodeConfig.model_validate(asked))
    found = head.predict(memory, DecodeConfig.model_validate({**asked, "attention": True}))
    for row, (outputs, without) in enumerate(zip(found, plain, strict=True)):
        assert [replace(output, attention=None) for output in outputs] == without
        for output in outputs:
            tokens = torch.tensor([[*output.tokens, VOCABULARY.eos]])
            alone = memory.take(torch.tensor([row]))
            (expected,) = head.attend(alone, Padded(tokens, torch.tensor([tokens.shape[1]])))
            torch.testing.assert_close(output.attention, expected[:, : memory.lengths[row]])


# With CTC ----------------------------------------------------------------------------------------------


@pytest.fixture
def joint() -> SequenceHead:
    torch.manual_seed(4)
    ctc = Ctc(WIDTH, VOCABULARY.size)
    return SequenceHead(TinyDecoder(), VOCABULARY, label_smoothing=0.1, ctc=ctc, ctc_weight=0.3)


def test_the_loss_is_shared_with_ctc(joint, memory):
    loss = joint(memory, batch_of(TARGET), PROGRESS)
    alone = SequenceHead(joint.decoder, VOCABULARY, label_smoothing=0.1)(memory, batch_of(TARGET), PROGRESS)
    ctc = joint.ctc.loss(memory, without_eos(TARGET))
    torch.testing.assert_close(loss.total, 0.7 * alone.total + 0.3 * ctc.total)
    assert (loss.elements, loss.parts["nll"]) == (alone.elements, alone.parts["nll"])
    assert (loss.parts["ctc"], loss.parts["unaligned"]) == (
        ctc.total,
        4,
    )  # its fourth memory has one position


@pytest.mark.parametrize("beam", [1, 3])
@pytest.mark.parametrize(("asked", "weight"), [(None, 0.3), (0.6, 0.6)])
def test_a_search_is_shared_with_ctc(joint, memory, beam, asked, weight):
    options = DecodeConfig(beam=beam, ctc=asked, max_length_offset=6)
    members = joint.scorers(memory, options)
    assert [(type(m.scorer), m.weight) for m in members] == [
        (DecoderScorer, 1 - weight),
        (CtcScorer, weight),
    ]
    search = greedy_search if beam == 1 else beam_search
    assert joint.predict(memory, options) == search(members, VOCABULARY, options)


def test_either_voice_may_search_alone(joint, memory):
    options = DecodeConfig(beam=3, max_length_offset=6)
    plain = SequenceHead(joint.decoder, VOCABULARY)
    only = CtcHead(joint.ctc, VOCABULARY)
    assert joint.predict(memory, options.model_copy(update={"ctc": 0.0})) == plain.predict(memory, options)
    assert joint.predict(memory, options.model_copy(update={"ctc": 1.0})) == only.predict(memory, options)


def test_a_shortest_length_is_for_decoders_alone(joint, memory):
    options = DecodeConfig(beam=2, max_length_offset=8, min_length=6)
    found = joint.predict(memory, options.model_copy(update={"ctc": 0.0}))
    assert all(len(output.tokens) >= 6 for (output,) in found)
    for ctc in (None, 0.3, 1.0):
        with pytest.raises(ConfigError, match=r"decode.min_length 6 .* leave all scores to a decoder"):
            joint.predict(memory, options.model_copy(update={"ctc": ctc}))


def test_scores_of_ctc_that_was_not_learned_are_refused(head, memory):
    head.check(DecodeConfig(ctc=0.0))
    with pytest.raises(ConfigError, match=r"decode.ctc 0\.3 .* learned none"):
        head.predict(memory, DecodeConfig(ctc=0.3))


# With a penalty on coverage ----------------------------------------------------------------------------


def test_the_penalty_is_how_far_attention_to_a_position_is_from_one(memory):
    attention = torch.zeros(4, 5, 5)
    attention[0, :, 0] = 1  # five times what is due, and nothing for four others
    attention[1, :, :2] = torch.tensor([0.25, 0.75])  # written twice: half, and one and a half
    attention[2] = torch.eye(5)  # written once: as is due to the first, nothing for three
    attention[3, :4, 0] = 0.5  # one of one, twice what is due
    expected = (16 + 4) + (0.25 + 0.25) + 3 + 1
    assert coverage_penalty(attention, TARGET.mask(), memory.mask()).item() == expected


def test_the_penalty_is_part_of_the_loss_and_learned_from(head, memory):
    plain = head(memory, batch_of(TARGET), PROGRESS)
    head.coverage = 2.0
    loss = head(memory, batch_of(TARGET), PROGRESS)
    penalty = coverage_penalty(head.attend(memory, TARGET), TARGET.mask(), memory.mask())
    torch.testing.assert_close(loss.total, plain.total + 2 * penalty)
    torch.testing.assert_close(loss.parts["coverage"], penalty.detach())
    gradients = torch.autograd.grad(loss.total - plain.total, [*head.decoder.cell.parameters()])
    assert all(gradient.any() for gradient in gradients)


def test_a_penalty_without_attention_is_refused(memory):
    with pytest.raises(ConfigError, match=r"model\.head\.coverage .* model\.attention"):
        coverage_penalty(None, TARGET.mask(), memory.mask())
