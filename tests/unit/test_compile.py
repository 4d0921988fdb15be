"""What ``torch.compile`` makes of a model: the same numbers, and no new compilation for each new size."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from seqloom.batch import Batch, Padded, Progress
from seqloom.errors import ConfigError
from seqloom.model import Seq2Seq
from seqloom.nn.conformer import ConformerEncoder, ConformerShape
from seqloom.testing import random_padded, random_tokens
from seqloom.trainer import Trainer

STILL = ("model.encoder.dropout=0", "model.decoder.dropout=0", "model.encoder.layers=2")


def batch(*lengths: int) -> Batch:
    source, target = (random_tokens(lengths, 8, seed) for seed in (1, 2))
    return Batch({"source": source}, Padded(target.values, target.lengths), [[] for _ in lengths], [])


def gradients(model: Seq2Seq, given: Batch) -> list[torch.Tensor]:
    model.zero_grad()
    loss = model(given, Progress(0, 0))
    loss.total.backward()
    return [loss.total.detach(), *(p.grad.clone() for p in model.parameters() if p.grad is not None)]


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")  # of torch's own tracing
def test_numbers_are_the_same_and_sizes_are_free(trainer: Callable[..., Trainer]) -> None:
    model = trainer(*STILL).model.train()
    batches = [batch(5, 3), batch(4, 7, 2), batch(6, 6, 5, 3), batch(9, 8, 7, 3, 2)]
    wanted = [gradients(model, each) for each in batches]
    torch.compiler.reset()
    model.compile(dynamic=True, backend="aot_eager")
    found = [gradients(model, each) for each in batches[:2]]
    with torch.compiler.set_stance("fail_on_recompile"):
        found += [gradients(model, each) for each in batches[2:]]
    for one, other in zip(wanted, found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)
    assert model.weights().keys() == trainer(*STILL).model.weights().keys()


def test_a_conformer_is_compiled_once_for_all_sizes() -> None:
    shape = ConformerShape(width=16, layers=1, heads=2, feed_forward=24, kernel=3, dropout=0.0)
    encoder = ConformerEncoder(shape)
    inputs = [random_padded(lengths, 16) for lengths in ((5, 3), (4, 7, 2), (9, 8, 7, 3))]
    wanted = [encoder(each).values for each in inputs]
    torch.compiler.reset()
    encoder.compile(dynamic=True, backend="eager", fullgraph=True)
    found = [encoder(each).values for each in inputs[:2]]
    with torch.compiler.set_stance("fail_on_recompile"):
        found.append(encoder(inputs[2]).values)
    for one, other in zip(wanted, found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_recurrent_parts_say_no(trainer: Callable[..., Trainer]) -> None:
    for part in ("encoder", "decoder"):
        with pytest.raises(ConfigError, match=r"take train\.compile out"):
            trainer(f"model.{part}={{name: rnn, hidden: 8}}").model.compile()
