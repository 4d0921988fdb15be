"""The equalities that the whole house rests on, each on whole models: a Transformer, LSTMs, a Conformer, and one shared with CTC."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from seqloom.batch import Batch, Memory, Padded, Progress
from seqloom.build import Builder
from seqloom.config import DecodeConfig
from seqloom.data.dataset import Dataset
from seqloom.data.manifest import Located
from seqloom.errors import Interrupted
from seqloom.model import Seq2Seq
from seqloom.nn.ctc import without_eos
from seqloom.search.beam import beam_search
from seqloom.search.greedy import greedy_search
from seqloom.task import Example

LSTM = "{name: rnn, cell: lstm, layers: 2, hidden: 12, dropout: 0"
MODELS = {
    "transformer": ("model.encoder.dropout=0", "model.decoder.dropout=0"),
    "lstm": (f"model.encoder={LSTM}}}", f"model.decoder={LSTM}}}", "model.attention=additive"),
    "lstm fed": (f"model.encoder={LSTM}}}", f"model.decoder={LSTM}, input_feeding: true}}", "model.attention=dot"),
    "lstm reversed": (
        f"model.encoder={LSTM}, bidirectional: false, reverse: true}}",
        f"model.decoder={LSTM}}}",
    ),
    "lstm of speech": (f"model.encoder={LSTM}, pyramid: 1}}", f"model.decoder={LSTM}}}", "model.attention=location"),
    "joint": (
        "model.encoder={name: conformer, layers: 1, heads: 2, feed_forward: 16, kernel: 3, dropout: 0}",
        "model.decoder.dropout=0",
        "model.head={name: sequence, ctc: 0.4, coverage: 0.3}",
    ),
}  # fmt: skip
TEXTS = ["a b c a", "b", "c c a b b a", "a c"]
CLOSE = {"rtol": 1e-5, "atol": 1e-5}  # what fp32 loses


class Case(NamedTuple):
    """A model with random weights, in evaluation mode, and some examples."""

    model: Seq2Seq
    data: Dataset

    def batch(self, *ids: int) -> Batch:
        return self.data.collate(ids or range(len(TEXTS)), seed=0, epoch=0, augment=False)

    def search(self, batch: Batch, **options: Any) -> list[Any]:
        decode = DecodeConfig(**{"max_length_factor": 0, "max_length_offset": 4, **options})
        head: Any = self.model.head
        with torch.inference_mode():
            members = head.scorers(self.model.encode(batch.inputs), decode)
        search = beam_search if decode.beam > 1 else greedy_search
        return search(members, head.vocabulary, decode)


@pytest.fixture(params=MODELS, ids=str)
def overrides(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return ("model.width=12", *MODELS[request.param])


@pytest.fixture
def case(builder: Callable[..., Builder], overrides: tuple[str, ...]) -> Case:
    made = builder(*overrides)
    located = [Located(Example(i, {"source": text}, text, [text]), i + 1) for i, text in enumerate(TEXTS)]
    kit = made.kit(made.fit_tokenizers(one.example for one in located))
    torch.manual_seed(3)
    model = made.model(kit).eval()
    with torch.no_grad():  # far from uniform: outputs of different lengths, and no ties
        for parameter in model.parameters():
            parameter.mul_(2)
    return Case(model, Dataset.load(located, kit.modalities, kit.task.read_target))


def loss_and_gradients(case: Case, *batches: Batch) -> tuple[float, dict[str, Tensor]]:
    """Sums over some batches."""
    case.model.zero_grad()
    losses = [case.model(batch, Progress(0, 0)).total for batch in batches]
    sum(losses, torch.zeros(())).backward()
    gradients = {name: p.grad.clone() for name, p in case.model.named_parameters() if p.grad is not None}
    return sum(loss.item() for loss in losses), gradients


def test_steps_are_the_whole(case: Case) -> None:
    batch, head = case.batch(), case.model.head
    assert batch.target is not None
    memory = case.model.encode(batch.inputs)
    tokens = head._shifted(batch.target)
    whole = head.decoder(memory, tokens).logits
    context = head.decoder.prepare(memory)
    state = head.decoder.start(context, 1)
    for position, token in enumerate(tokens.values.unbind(1)):
        logits, state = head.decoder.step(context, state, token[:, None])
        torch.testing.assert_close(logits[:, 0], whole[:, position], **CLOSE)


def test_an_example_alone_is_as_in_a_batch(case: Case) -> None:
    whole = case.search(case.batch(), beam=3, n_best=3)
    for id_ in range(len(TEXTS)):
        (alone,) = case.search(case.batch(id_), beam=3, n_best=3)
        assert [found.tokens for found in alone] == [found.tokens for found in whole[id_]]
        assert [f.score for f in alone] == pytest.approx([f.score for f in whole[id_]], abs=1e-5)


def test_a_beam_of_one_is_greedy_search(case: Case) -> None:
    batch, options = case.batch(), DecodeConfig(beam=1, max_length_factor=0, max_length_offset=6)
    with torch.inference_mode():
        members = case.model.head.scorers(case.model.encode(batch.inputs), options)
    found = [
        search(members, case.model.head.vocabulary, options) for search in (beam_search, greedy_search)
    ]
    for (beam,), (greedy,) in zip(*found, strict=True):
        assert beam.tokens == greedy.tokens
        assert beam.score == pytest.approx(greedy.score, abs=1e-5)


def test_a_full_width_beam_is_exhaustive_search(case: Case) -> None:
    """Every output of at most two tokens and EOS, scored by one teacher-forced pass each."""
    vocabulary, head = case.model.head.vocabulary, case.model.head
    words = [
        token
        for token in range(vocabulary.size)
        if token not in (vocabulary.pad, vocabulary.bos, vocabulary.eos)
    ]
    outputs = [output for length in range(3) for output in itertools.product(words, repeat=length)]
    found = case.search(case.batch(), beam=len(outputs), n_best=len(outputs), max_length_offset=3)
    for id_, hypotheses in enumerate(found):
        with torch.inference_mode():
            memory = case.model.encode(case.batch(id_).inputs)
            totals = {output: log_probability(head, memory, output) for output in outputs}
        scores = {
            output: total / math.pow((5 + len(output) + 1) / 6, 0.6) for output, total in totals.items()
        }
        best = sorted((o for o in outputs if scores[o] > -math.inf), key=lambda output: -scores[output])
        assert [hypothesis.tokens for hypothesis in hypotheses] == best
        assert [h.score for h in hypotheses] == pytest.approx([scores[output] for output in best], abs=1e-5)


def log_probability(head: Any, memory: Memory, output: tuple[int, ...]) -> float:
    """Of an output, all at once; shared with CTC where the head has it."""
    target = Padded(torch.tensor([[*output, head.vocabulary.eos]]), torch.tensor([len(output) + 1]))
    log_probs = head.decoder(memory, head._shifted(target)).logits.double().log_softmax(-1)
    total = log_probs[0].gather(1, target.values[0][:, None]).sum().item()
    if head.ctc is None:
        return total
    ctc = head.ctc.loss(memory, without_eos(target))
    aligned = -math.inf if ctc.unaligned else -ctc.total.item()
    return (1 - head.ctc_weight) * total + head.ctc_weight * aligned


def test_two_half_batches_are_one_batch(case: Case) -> None:
    whole, gradients = loss_and_gradients(case, case.batch())
    halves, added = loss_and_gradients(case, case.batch(0, 1), case.batch(2, 3))
    assert halves == pytest.approx(whole, rel=1e-5)
    for name, gradient in gradients.items():
        torch.testing.assert_close(added[name], gradient, rtol=1e-4, atol=1e-4)


def test_resumed_is_uninterrupted_bit_for_bit(
    trainer: Callable[..., Any], overrides: tuple[str, ...]
) -> None:
    """With dropout, over an epoch's edge."""
    model = [
        override.replace("dropout=0", "dropout=0.3").replace("dropout: 0", "dropout: 0.3")
        for override in overrides
    ]
    job = ("train.steps=6", "train.batch_elements=64", "evaluate.every=6", *model)
    asked = itertools.count(1)
    whole = trainer(*job, folder="whole")
    whole.fit()
    assert whole.state.epoch > 0
    with pytest.raises(Interrupted):
        trainer(*job, folder="parts", stop=lambda: 15 if next(asked) == 4 else None).fit()
    second = trainer(*job, folder="parts")
    torch.manual_seed(99)
    assert second.resume() == 4
    second.fit()
    for name, weight in whole.model.weights().items():
        assert torch.equal(second.model.weights()[name], weight), name
