"""Weights by name, each once, and only those that fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
import torch

from seqloom.batch import Batch, Padded, Progress
from seqloom.modality import Frontend
from seqloom.model import Seq2Seq
from seqloom.trainer import Trainer


@pytest.fixture
def model(trainer: Callable[..., Trainer]) -> Seq2Seq:
    return trainer().model.eval()


def test_shared_weights_are_named_once(model: Seq2Seq) -> None:
    weights = model.weights()
    pointers = [tensor.data_ptr() for tensor in weights.values()]
    assert len(set(pointers)) == len(pointers)
    assert sum(t.numel() for t in weights.values()) >= sum(p.numel() for p in model.parameters())


def test_loaded_weights_are_those_given(model: Seq2Seq) -> None:
    doubled = {name: 2 * tensor for name, tensor in model.weights().items()}
    model.load_weights(doubled)
    assert all(torch.equal(doubled[name], tensor) for name, tensor in model.weights().items())


def test_weights_that_do_not_fit_are_named(model: Seq2Seq) -> None:
    weights = model.weights()
    name = next(iter(weights))
    with pytest.raises(ValueError, match=f"weights do not fit the model: {name}"):
        model.load_weights(weights | {name: torch.zeros(1)})
    with pytest.raises(ValueError, match="do not fit the model: extra"):
        model.load_weights(weights | {"extra": torch.zeros(1)})


class Mean(Frontend):
    """Learns the mean of its inputs."""

    learns_from_data = True

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))

    def fit(self, batches: Iterable[Padded]) -> None:
        self.mean = torch.cat([batch.values.flatten() for batch in batches]).mean()

    def forward(self, features: Padded) -> Padded:
        return features


def test_front_ends_that_ask_for_data_are_given_it(model: Seq2Seq) -> None:
    plain = model.frontends["source"]  # it does not ask, and would raise if it were given some
    model.frontends["left"], model.frontends["right"] = Mean(), Mean()
    inputs = {
        slot: Padded(torch.tensor([[value, value]]), torch.tensor([2]))
        for slot, value in (("left", 1.0), ("right", 3.0))
    }
    batch = Batch(inputs, None, [[]], [0])
    louder = {slot: padded._replace(values=3 * padded.values) for slot, padded in inputs.items()}
    model.fit(lambda: [batch, batch._replace(inputs=louder)])
    weights = model.weights()
    assert (weights["frontends.left.mean"], weights["frontends.right.mean"]) == (2, 6)
    with pytest.raises(NotImplementedError, match="learns nothing from data"):
        plain.fit([])


def test_padding_changes_nothing(model: Seq2Seq) -> None:
    ids = torch.tensor([[5, 6, 7], [5, 6, 0]])
    both = model.encode({"source": Padded(ids, torch.tensor([3, 2]))})
    alone = model.encode({"source": Padded(ids[1:, :2], torch.tensor([2]))})
    torch.testing.assert_close(both.values[1, :2], alone.values[0])


def test_shared_inputs_teach_what_copies_of_them_teach(model: Seq2Seq) -> None:
    source = Padded(torch.tensor([[5, 6, 7], [8, 6, 0]]), torch.tensor([3, 2]))
    target = Padded(torch.tensor([[5, 2], [6, 2], [7, 2]]), torch.tensor([2, 2, 2]))
    rows = torch.tensor([1, 0, 1])
    shared = Batch({"source": source}, target, [[], [], []], [0, 1, 2], rows)
    copied = Padded(source.values[rows], source.lengths[rows])
    found = []
    for batch in (shared, shared._replace(inputs={"source": copied}, rows=None)):
        model.zero_grad()
        loss = model(batch, Progress(0, 0))
        loss.total.backward()
        found.append([loss.total.detach(), *(p.grad for p in model.parameters() if p.grad is not None)])
    assert len(found[0]) > 5
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs)
