from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import nn

from seqloom.batch import Memory
from seqloom.config import DecodeConfig
from seqloom.errors import DivergedError
from seqloom.nn.ctc import Ctc
from seqloom.search import labelling
from seqloom.search.labelling import ctc_search
from seqloom.testing import random_memory

SIZE, WIDTH = 6, 4  # words are 2, 4 and 5
LENGTHS = (4, 1, 3, 5)


@pytest.fixture
def ctc() -> Ctc:
    return make_ctc()


def make_ctc(size: int = SIZE, scale: float = 1.0) -> Ctc:
    torch.manual_seed(7)
    made = Ctc(WIDTH, size)
    nn.init.normal_(made.project.weight, std=scale)
    return made


def search(kit, ctc, memory, beam, n_best=1):
    options = DecodeConfig(beam=beam, n_best=n_best)
    return ctc_search(ctc, memory, kit.vocabulary(ctc.blank), options)


def test_a_wide_beam_is_exhaustive_search(kit, ctc, labellings):
    memory = random_memory(LENGTHS, WIDTH)
    found = search(kit, ctc, memory, beam=400, n_best=400)
    for row, length in enumerate(LENGTHS):
        chances = labellings(ctc(memory)[row, :length])
        allowed = [said for said in chances if not {0, 1, 3} & set(said)]  # neither PAD, BOS nor EOS
        wanted = sorted(allowed, key=lambda said: chances[said], reverse=True)
        assert [output.tokens for output in found[row]] == wanted
        scores = [math.log(chances[said]) for said in wanted]
        assert [output.score for output in found[row]] == pytest.approx(scores, rel=1e-5)


def test_token_scores_are_of_each_token_and_of_the_end(kit, ctc):
    for outputs in search(kit, ctc, random_memory(LENGTHS, WIDTH), beam=5, n_best=3):
        assert len(outputs) == 3
        for output in outputs:
            assert len(output.token_scores) == len(output.tokens) + 1
            assert max(output.token_scores) <= 0
            assert output.score == pytest.approx(sum(output.token_scores))


def test_the_best_alignment_is_collapsed(kit):
    ctc = Ctc(SIZE + 1, SIZE)
    nn.init.zeros_(ctc.project.bias)
    with torch.no_grad():
        ctc.project.weight.copy_(9 * torch.eye(SIZE + 1))
    path = torch.tensor([6, 4, 4, 6, 4, 5, 5, 2, 6, 2, 2])  # the blank is 6
    values = torch.eye(SIZE + 1)[path][None]
    memory = Memory(values, torch.tensor([len(path)]), values[:, :1])
    for beam in (1, 4):  # so sure a model's best alignment has the best labelling
        ((output,),) = search(kit, ctc, memory, beam)
        assert output.tokens == (4, 4, 5, 2, 2)
        assert output.score == pytest.approx(0, abs=0.05)


def test_a_best_path_says_no_special_token(kit, ctc):
    with torch.no_grad():
        ctc.project.bias[[0, 1, 3]] = 20.0
    for beam in (1, 3):
        for (output,) in search(kit, ctc, random_memory(LENGTHS, WIDTH), beam):
            assert not {0, 1, 3} & set(output.tokens)


@pytest.mark.parametrize("beam", [1, 4])
def test_no_output_depends_on_the_other_rows(kit, beam):
    ctc = make_ctc(30, scale=2.0)
    lengths = (9, 3, 14, 1, 6)
    memory = random_memory(lengths, WIDTH)
    together = search(kit, ctc, memory, beam, beam)
    for row, length in enumerate(lengths):
        values, own, final, _ = memory.take(torch.tensor([row]))
        (alone,) = search(kit, ctc, Memory(values[:, :length], own, final), beam, beam)
        assert [output.tokens for output in alone] == [output.tokens for output in together[row]]
        scores = [output.score for output in together[row]]
        assert [output.score for output in alone] == pytest.approx(scores, rel=1e-5)


def test_a_wider_beam_finds_what_is_at_least_as_good(kit):
    ctc, memory = make_ctc(20, scale=0.5), random_memory((12, 8, 15, 10), WIDTH)
    scores = [[o.score for (o,) in search(kit, ctc, memory, beam)] for beam in (1, 4, 64)]
    for narrow, wide in itertools.pairwise(scores):
        assert all(a <= b + 1e-5 for a, b in zip(narrow, wide, strict=True))
    assert scores[0] != scores[2]


def test_few_candidates_a_position_suffice_where_the_model_is_sure(kit, monkeypatch):
    ctc, memory = make_ctc(40, scale=3.0), random_memory((12, 8), WIDTH)
    some = search(kit, ctc, memory, beam=6)
    monkeypatch.setattr(labelling, "CANDIDATES", 40)
    assert search(kit, ctc, memory, beam=6) == some


def test_no_sources_have_no_outputs(kit, ctc):
    assert (
        search(kit, ctc, random_memory((1,), WIDTH)._replace(lengths=torch.tensor([]).long()), beam=2) == []
    )


@pytest.mark.parametrize("beam", [1, 3])
def test_a_model_of_nans_is_an_error(kit, ctc, beam):
    nn.init.constant_(ctc.project.bias, math.nan)
    with pytest.raises(DivergedError):
        search(kit, ctc, random_memory(LENGTHS, WIDTH), beam)
