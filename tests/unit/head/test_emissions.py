"""What CTC says of each position goes with what was found, alone as in company, and knows when that is."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from seqloom.batch import Batch, Emissions, Padded
from seqloom.config import DecodeConfig
from seqloom.errors import ConfigError
from seqloom.head import CtcHead, Head, SequenceHead
from seqloom.modality import Frontend
from seqloom.model import Seq2Seq
from seqloom.nn.attention import DotAttention
from seqloom.nn.ctc import Ctc
from seqloom.nn.embedding import TokenEmbedding, free_projection
from seqloom.nn.encoder import Encoder, NoEncoder
from seqloom.nn.recurrence import RecurrentShape
from seqloom.nn.recurrent import RecurrentDecoder, RecurrentEncoder
from seqloom.testing import random_memory, random_padded
from seqloom.vocabulary import Vocabulary

VOCABULARY = Vocabulary(size=9, pad=0, bos=1, eos=2, unk=3)
WIDTH = 6
LENGTHS = (5, 2, 7, 1)
ASKED = DecodeConfig(beam=3, n_best=2, emissions=True, max_length_offset=4)
PLAIN = ASKED.model_copy(update={"emissions": False})
SHAPE = RecurrentShape(cell="gru", layers=2, hidden=WIDTH, dropout=0.0)


def ctc_head() -> CtcHead:
    torch.manual_seed(1)
    return CtcHead(Ctc(WIDTH, VOCABULARY.size), VOCABULARY).eval()


def sequence_head(*, ctc: bool = True) -> SequenceHead:
    torch.manual_seed(1)
    embedding, attention = TokenEmbedding(VOCABULARY.size, WIDTH, pad_id=0), DotAttention(WIDTH, WIDTH)
    output = free_projection(WIDTH, VOCABULARY.size)
    decoder = RecurrentDecoder(embedding, output, attention, (1, WIDTH), replace(SHAPE, layers=1))
    voice = Ctc(WIDTH, VOCABULARY.size) if ctc else None
    return SequenceHead(decoder, VOCABULARY, ctc=voice, ctc_weight=0.3 if ctc else 0.0).eval()


@pytest.mark.parametrize("head", [ctc_head(), sequence_head()], ids=["ctc", "sequence"])
def test_outputs_carry_what_ctc_says_and_are_the_same_otherwise(head: Head) -> None:
    memory = random_memory(LENGTHS, WIDTH, (1, WIDTH))
    plain, found = head.predict(memory, PLAIN), head.predict(memory, ASKED)
    said = head.ctc(memory).detach()
    for row, (without, outputs) in enumerate(zip(plain, found, strict=True)):
        assert [replace(output, emissions=None) for output in outputs] == without
        emissions = outputs[0].emissions
        assert all(output.emissions is emissions for output in outputs)
        assert emissions.edges_s is None
        assert torch.equal(emissions.log_probs, said[row, : LENGTHS[row]])
        torch.testing.assert_close(emissions.log_probs.exp().sum(1), torch.ones(LENGTHS[row]))
        assert emissions.log_probs.untyped_storage().nbytes() == 4 * LENGTHS[row] * (VOCABULARY.size + 1)


def test_a_decoder_alone_can_tell_as_well() -> None:
    options = ASKED.model_copy(update={"ctc": 0.0})
    outputs = sequence_head().predict(random_memory(LENGTHS, WIDTH, (1, WIDTH)), options)[0]
    assert outputs[0].emissions is not None


def test_a_head_that_learned_no_ctc_refuses() -> None:
    head = sequence_head(ctc=False)
    head.check(PLAIN)
    with pytest.raises(ConfigError, match=r"decode\.emissions.*no CTC.*train with model\.head\.ctc"):
        head.check(ASKED)


# A whole model -----------------------------------------------------------------------------------------


class Pairs(Frontend):
    """Two features as one position."""

    stride = 2

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2 * WIDTH, WIDTH)

    def forward(self, features: Padded) -> Padded:
        values = features.values * features.mask()[:, :, None]
        values = nn.functional.pad(values, (0, 0, 0, values.shape[1] % 2))
        joined = values.unflatten(1, (-1, 2)).flatten(2)
        return Padded(self.layer(joined), -(-features.lengths // 2))


class Grid(Pairs):
    stride = None


def model(frontend: Frontend, encoder: Encoder, rate: float | None) -> Seq2Seq:
    head = CtcHead(Ctc(encoder.width, VOCABULARY.size), VOCABULARY)
    return Seq2Seq({"sound": frontend}, {"sound": encoder}, head, {"sound": rate}).eval()


def batch_of(features: Padded, rows: torch.Tensor | None = None) -> Batch:
    count = len(features.lengths if rows is None else rows)
    return Batch({"sound": features}, None, [[]] * count, list(range(count)), rows)


def emissions_of(found: list[list[object]]) -> list[Emissions]:
    return [outputs[0].emissions for outputs in found]


def test_positions_know_their_time_through_front_end_and_encoder() -> None:
    encoder = RecurrentEncoder(WIDTH, SHAPE, pyramid=1)
    found = model(Pairs(), encoder, 100.0).predict(batch_of(random_padded((9, 4, 1), WIDTH)), ASKED)
    assert [emissions.edges_s for emissions in emissions_of(found)] == [
        (0.0, 0.04, 0.08, 0.09),  # four features of 10 ms each; the last one has but one
        (0.0, 0.04),
        (0.0, 0.01),
    ]
    for outputs in found:
        assert all(output.emissions is outputs[0].emissions for output in outputs)
        assert len(outputs[0].emissions.log_probs) == len(outputs[0].emissions.edges_s) - 1


def test_examples_that_share_an_input_have_its_times() -> None:
    rows = torch.tensor([1, 0, 1])
    part = model(Pairs(), NoEncoder(WIDTH), 10.0)
    found = part.predict(batch_of(random_padded((3, 1), WIDTH), rows), ASKED)
    assert [emissions.edges_s for emissions in emissions_of(found)] == [(0, 0.1), (0, 0.2, 0.3), (0, 0.1)]


@pytest.mark.parametrize(("frontend", "rate"), [(Pairs(), None), (Grid(), 10.0)])
def test_positions_of_what_takes_no_time_have_none(frontend: Frontend, rate: float | None) -> None:
    found = model(frontend, NoEncoder(WIDTH), rate).predict(batch_of(random_padded((3,), WIDTH)), ASKED)
    assert [emissions.edges_s for emissions in emissions_of(found)] == [None]


def test_company_changes_nothing() -> None:
    part, features = model(Pairs(), RecurrentEncoder(WIDTH, SHAPE), 10.0), random_padded((9, 4, 1), WIDTH)
    together = emissions_of(part.predict(batch_of(features), ASKED))
    for row, length in enumerate(features.lengths.tolist()):
        alone = Padded(features.values[row : row + 1, :length], features.lengths[row : row + 1])
        (emissions,) = emissions_of(part.predict(batch_of(alone), ASKED))
        assert emissions.edges_s == together[row].edges_s
        torch.testing.assert_close(emissions.log_probs, together[row].log_probs)
