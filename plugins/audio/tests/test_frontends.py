"""Subsampling: lengths by arithmetic, and nothing heard of padding."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from seqloom.batch import Padded
from seqloom_audio.frontends.base import AudioFrontend, Subsampling
from seqloom_audio.frontends.convolution import Convolution
from seqloom_audio.frontends.stack import Stack
from seqloom_audio.normalization import CorpusNorm

BINS = 13
CASES = [(f"convolution-{2**layers}", 2**layers) for layers in (1, 2, 3)] + [
    (f"stack-{frames}", frames) for frames in (1, 3, 8)
]


def subsampling(name: str) -> Subsampling:
    kind, number = name.split("-")
    torch.manual_seed(1)
    if kind == "stack":
        return Stack(16, BINS, int(number))
    return Convolution(16, BINS, 4, int(number).bit_length() - 1)


def frontend(name: str) -> AudioFrontend:
    return AudioFrontend(subsampling(name)).double()


def spectra(*lengths: int) -> Padded:
    """Noise, on padding too."""
    values = torch.randn(len(lengths), max(lengths), BINS, generator=torch.Generator().manual_seed(1))
    return Padded(values.double(), torch.tensor(lengths))


@pytest.mark.parametrize(("name", "factor"), CASES)
def test_an_utterance_is_the_same_alone_and_beside_longer_ones(name: str, factor: int) -> None:
    part, batch = frontend(name), spectra(*range(1, 30), 70)
    together = part(batch)
    for row, length in enumerate(batch.lengths.tolist()):
        alone = part(Padded(batch.values[row : row + 1, :length], batch.lengths[row : row + 1]))
        size = -(-length // factor)
        assert alone.lengths.tolist() == [together.lengths[row]] == [size]
        assert alone.values.shape == (1, size, 16)
        torch.testing.assert_close(alone.values[0], together.values[row, :size], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("name", "factor"), CASES)
def test_gradients_of_an_utterance_are_the_same_alone_and_beside_longer_ones(
    name: str, factor: int
) -> None:
    part, batch = frontend(name), spectra(21, 64)

    def gradients(features: Padded) -> list[Tensor]:
        part.zero_grad()
        part(features).values[0, : -(-21 // factor)].square().sum().backward()
        return [parameter.grad.clone() for parameter in part.parameters() if parameter.grad is not None]

    alone = gradients(Padded(batch.values[:1, :21], batch.lengths[:1]))
    torch.testing.assert_close(gradients(batch), alone)


@pytest.mark.parametrize(("name", "factor"), CASES)
def test_sound_that_comes_later_comes_later(name: str, factor: int) -> None:
    part = frontend(name)
    values = torch.zeros(1, 96, BINS).double()
    values[:, 24:32] = spectra(8).values
    moved = values.roll(factor, 1)
    length = torch.tensor([96])
    one, other = (part(Padded(given, length)).values for given in (values, moved))
    torch.testing.assert_close(one[:, 1:-1], other[:, 2:])


def test_a_stack_sees_its_frames_and_no_others() -> None:
    part, batch = frontend("stack-3"), spectra(12)
    changed = batch._replace(values=batch.values.clone())
    changed.values[:, 4] += 1
    differs = (part(batch).values != part(changed).values).any(-1)
    assert differs.nonzero()[:, 1].tolist() == [1]


def test_a_corpus_is_taken_before_subsampling() -> None:
    part = AudioFrontend(subsampling("stack-1"), corpus=CorpusNorm(BINS)).double()
    batch = spectra(20, 10)
    louder = batch._replace(values=5 + 3 * batch.values)
    part.fit([batch])
    wanted = part(batch).values
    part.fit([louder])
    torch.testing.assert_close(
        part(louder).values[batch.mask()], wanted[batch.mask()], rtol=1e-4, atol=1e-4
    )


def test_one_that_takes_nothing_from_a_corpus_says_so() -> None:
    part = frontend("stack-1")
    assert not part.learns_from_data
    with pytest.raises(NotImplementedError):
        part.fit([])


def test_nothing_of_it_is_compiled() -> None:
    def refuses(*_: object) -> object:
        raise AssertionError("something is compiled")

    made = frontend("convolution-2")
    made.compile(dynamic=True, backend=refuses)
    made(spectra(9, 5)).values.sum().backward()
