"""What the parts that speech asks for are there for, they learn in a few steps."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqloom.batch import Batch, Padded, Progress
from seqloom.config import DecodeConfig
from seqloom.head.base import Head
from seqloom.head.ctc import CtcHead
from seqloom.head.sequence import SequenceHead
from seqloom.nn.attention import LocationAttention
from seqloom.nn.conformer import ConformerEncoder, ConformerShape
from seqloom.nn.ctc import Ctc
from seqloom.nn.embedding import TokenEmbedding, free_projection
from seqloom.nn.encoder import Encoder
from seqloom.nn.recurrence import RecurrentShape
from seqloom.nn.recurrent import RecurrentDecoder, RecurrentEncoder
from seqloom.vocabulary import Vocabulary

VOCABULARY = Vocabulary(size=9, pad=0, bos=1, eos=2, unk=3)
WIDTH = 24


def conformer(kernel: int) -> ConformerEncoder:
    shape = ConformerShape(width=WIDTH, layers=1, heads=2, feed_forward=32, kernel=kernel, dropout=0.0)
    return ConformerEncoder(shape)


def aligner() -> tuple[Encoder, Head]:
    return conformer(kernel=5), CtcHead(Ctc(WIDTH, VOCABULARY.size), VOCABULARY)


def listener() -> tuple[Encoder, Head]:
    shapes = [RecurrentShape(cell="gru", layers=layers, hidden=WIDTH, dropout=0.0) for layers in (2, 1)]
    encoder = RecurrentEncoder(WIDTH, shapes[0], pyramid=1)
    attention = LocationAttention(WIDTH, encoder.width, hidden=16, filters=4, kernel=5)
    embedding = TokenEmbedding(VOCABULARY.size, WIDTH, pad_id=VOCABULARY.pad)
    output = free_projection(WIDTH, VOCABULARY.size)
    decoder = RecurrentDecoder(embedding, output, attention, encoder.final_shape, shapes[1])
    return encoder, SequenceHead(decoder, VOCABULARY)


def recording(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Digits drawn out over some noisy frames [T, D], and the digits with EOS."""
    length = int(torch.randint(1, 5, (1,), generator=generator))
    digits = 4 + torch.randint(1, 5, (length,), generator=generator).cumsum(0) % 5  # none twice in a row
    longer = torch.randint(2, 5, (length,), generator=generator)
    frames = F.one_hot(digits, WIDTH).float().repeat_interleave(longer, 0)
    noise = 0.1 * torch.randn(frames.shape, generator=generator)
    return frames + noise, torch.cat([digits, torch.tensor([VOCABULARY.eos])])


def recordings(count: int, generator: torch.Generator) -> Batch:
    source, target = (
        Padded(nn.utils.rnn.pad_sequence(rows, batch_first=True), torch.tensor([*map(len, rows)]))
        for rows in zip(*(recording(generator) for _ in range(count)), strict=True)
    )
    return Batch({"source": source}, target, [[] for _ in range(count)], list(range(count)))


@pytest.mark.parametrize(("make", "steps"), [(aligner, 50), (listener, 120)])
def test_drawn_out_digits_are_read(make, steps):
    torch.manual_seed(1)
    encoder, head = make()
    optimizer = torch.optim.Adam([*encoder.parameters(), *head.parameters()], lr=0.01)
    generator = torch.Generator().manual_seed(1)
    for step in range(steps):
        batch = recordings(16, generator)
        loss = head(encoder(batch.inputs["source"]), batch, Progress(step, 0))
        optimizer.zero_grad()
        (loss.total / loss.elements).backward()
        optimizer.step()
    unseen = recordings(50, generator)
    with torch.inference_mode():
        found = head.predict(encoder(unseen.inputs["source"]), DecodeConfig(beam=3))
    wanted = [tuple(row[: length - 1].tolist()) for row, length in zip(*unseen.target, strict=True)]
    assert sum(best.tokens == digits for (best, *_), digits in zip(found, wanted, strict=True)) > 40


def test_what_stood_two_positions_before_is_found_in_sequences_of_any_length():
    """By relative attention alone, as a kernel of one position sees no other."""
    torch.manual_seed(1)
    encoder, output = conformer(kernel=1), nn.Linear(WIDTH, 5)
    optimizer = torch.optim.Adam([*encoder.parameters(), *output.parameters()], lr=0.01)

    def echo(count: int, length: int) -> tuple[Tensor, Tensor]:
        digits = torch.randint(5, (count, length))
        features = Padded(F.one_hot(digits, WIDTH).float(), torch.full((count,), length))
        return output(encoder(features).values)[:, 2:].flatten(0, 1), digits[:, :-2].flatten()

    for _ in range(60):
        optimizer.zero_grad()
        F.cross_entropy(*echo(16, 12)).backward()
        optimizer.step()
    said, wanted = echo(5, 200)
    assert torch.equal(said.argmax(-1), wanted)
