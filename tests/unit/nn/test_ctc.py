from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from seqloom.batch import Memory, Padded
from seqloom.nn.ctc import Ctc, shortest_alignment, without_eos
from seqloom.testing import random_memory

WIDTH, SIZE = 4, 3
LABELS = [[0, 1], [2, 2], [], [1, 0, 1], [1, 1, 1]]
LENGTHS = [4, 3, 2, 5, 4]  # the last is too short: it needs two blanks more


@pytest.fixture
def ctc() -> Ctc:
    torch.manual_seed(1)
    made = Ctc(WIDTH, SIZE)
    nn.init.normal_(made.project.weight)
    return made


def padded(labels: list[list[int]], filling: int = 0) -> Padded:
    rows = [torch.tensor(row, dtype=torch.int64) for row in labels]
    values = nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=filling)
    return Padded(values, torch.tensor([len(row) for row in labels]))


def row_of(memory: Memory, row: int) -> Memory:
    values, lengths, final, _ = memory.take(torch.tensor([row]))
    return Memory(values[:, : LENGTHS[row]], lengths, final)


def test_the_loss_is_that_of_all_alignments(ctc, labellings):
    memory = random_memory(LENGTHS, WIDTH)
    log_probs = ctc(memory)
    expected = [
        -math.log(labellings(log_probs[row, :length])[tuple(labels)])
        for row, (labels, length) in enumerate(zip(LABELS[:4], LENGTHS, strict=False))
    ]
    loss = ctc.loss(memory, padded(LABELS))
    assert loss.total.item() == pytest.approx(sum(expected), rel=1e-5)
    assert loss.unaligned.item() == 4  # three labels, and one more for the example


def test_log_probabilities_are_normalised_in_fp32(ctc):
    with torch.autocast("cpu", torch.bfloat16):
        log_probs = ctc(random_memory(LENGTHS, WIDTH))
    assert log_probs.shape == (5, 5, SIZE + 1)
    assert log_probs.dtype == torch.float32
    torch.testing.assert_close(log_probs.exp().sum(-1), torch.ones(5, 5))


def test_padding_and_company_change_nothing(ctc):
    memory = random_memory(LENGTHS, WIDTH)
    whole = ctc.loss(memory, padded(LABELS, filling=2))
    alone = [ctc.loss(row_of(memory, row), padded([labels])) for row, labels in enumerate(LABELS)]
    torch.testing.assert_close(sum(loss.total for loss in alone), whole.total)
    assert [loss.unaligned.item() for loss in alone] == [0, 0, 0, 0, 4]


def test_what_cannot_be_aligned_teaches_nothing(ctc):
    memory = random_memory(LENGTHS, WIDTH)
    values = memory.values.clone().requires_grad_()
    ctc.loss(memory._replace(values=values), padded(LABELS)).total.backward()
    assert values.grad.isfinite().all()
    taught = values.grad.abs().sum((1, 2)) > 0
    assert taught.tolist() == [True, True, True, True, False]


def test_empty_labels_alone_are_blanks(ctc):
    memory = random_memory([3, 2], WIDTH)
    log_probs = ctc(memory)
    expected = -(log_probs[0, :3, SIZE].sum() + log_probs[1, :2, SIZE].sum())
    torch.testing.assert_close(ctc.loss(memory, padded([[], []])).total, expected)


def test_equal_neighbours_need_a_blank_between_them():
    labels = padded([[1, 2, 1], [1, 1, 2, 2], [], [0]])  # zeros on padding, too
    assert shortest_alignment(labels).tolist() == [3, 6, 0, 1]


def test_labels_are_the_target_without_its_end():
    labels = without_eos(Padded(torch.tensor([[5, 6, 2], [2, 0, 0]]), torch.tensor([3, 1])))
    assert [row[:length].tolist() for row, length in zip(*labels, strict=True)] == [[5, 6], []]
