from __future__ import annotations

import pytest
import torch

from seqloom.batch import Batch, Memory, Padded, Progress
from seqloom.config import DecodeConfig
from seqloom.errors import ConfigError
from seqloom.head import CtcHead
from seqloom.nn.ctc import Ctc
from seqloom.search.labelling import ctc_search
from seqloom.testing import random_memory
from seqloom.vocabulary import Vocabulary

VOCABULARY = Vocabulary(size=9, pad=0, bos=1, eos=2, unk=3)
TARGET = Padded(torch.tensor([[5, 6, 2], [4, 4, 2], [2, 0, 0]]), torch.tensor([3, 3, 1]))
LENGTHS = (5, 2, 3)  # the second is too short for two equal tokens
PROGRESS = Progress(step=0, epoch=0)
WIDTH = 6


@pytest.fixture
def head() -> CtcHead:
    torch.manual_seed(4)
    return CtcHead(Ctc(WIDTH, VOCABULARY.size), VOCABULARY)


@pytest.fixture
def memory() -> Memory:
    return random_memory(LENGTHS, WIDTH)


def loss_of(head, memory, target):
    return head(memory, Batch({}, target, [], []), PROGRESS)


def test_the_loss_is_a_sum_over_targets(head, memory):
    loss = loss_of(head, memory, TARGET)
    assert loss.elements == 7  # EOS counted
    assert loss.parts["unaligned"] == 3
    assert loss.parts["nll"] == loss.total.detach()
    assert loss.total > 0


def test_halves_of_a_batch_add_up(head, memory):
    whole = loss_of(head, memory, TARGET)
    halves = [
        loss_of(head, memory.take(rows), Padded(*(part[rows] for part in TARGET)))
        for rows in (torch.tensor([0]), torch.tensor([1, 2]))
    ]
    torch.testing.assert_close(sum(half.total for half in halves), whole.total)
    assert sum(half.elements for half in halves) == whole.elements
    assert sum(half.parts["unaligned"] for half in halves) == whole.parts["unaligned"]


def test_it_learns_to_say_its_targets(head, memory):
    target = Padded(torch.tensor([[5, 6, 2], [7, 4, 2], [2, 0, 0]]), TARGET.lengths)
    optimizer = torch.optim.Adam(head.parameters(), lr=0.1)
    for _ in range(150):
        optimizer.zero_grad()
        loss_of(head, memory, target).total.backward()
        optimizer.step()
    found = head.predict(memory, DecodeConfig(beam=1))
    assert [output.tokens for (output,) in found] == [(5, 6), (7, 4), ()]


@pytest.mark.parametrize("beam", [1, 4])
def test_predictions_are_those_of_the_search(head, memory, beam):
    options = DecodeConfig(beam=beam, n_best=beam, ctc=1)
    assert head.predict(memory, options) == ctc_search(head.ctc, memory, VOCABULARY, options)


def test_a_share_for_a_decoder_is_refused(head, memory):
    head.check(DecodeConfig(ctc=1.0))
    with pytest.raises(ConfigError, match=r"decode.ctc 0\.3 .* this model has none"):
        head.predict(memory, DecodeConfig(ctc=0.3))


def test_a_shortest_length_is_refused(head, memory):
    with pytest.raises(ConfigError, match=r"decode.min_length 2 asks for tokens that CTC may have no pos"):
        head.predict(memory, DecodeConfig(min_length=2))


def test_a_batch_without_targets_has_no_loss(head, memory):
    with pytest.raises(ValueError, match="needs targets"):
        loss_of(head, memory, None)
